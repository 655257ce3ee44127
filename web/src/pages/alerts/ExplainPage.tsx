import { useQuery } from "@tanstack/react-query";
import { Link, useParams } from "@tanstack/react-router";
import { explainQuery } from "~/api/queries";
import type { Explanation } from "~/api/types";
import { Answer } from "~/components/Answer";
import { CopyButton } from "~/components/CopyButton";
import { CopyMenu } from "~/components/CopyMenu";
import { asCurl } from "~/components/clipboard";
import { Facts } from "~/components/Facts";
import { Labels } from "~/components/Labels";
import { PageHead } from "~/components/PageHead";
import type { Tone } from "~/components/StateMark";
import { When } from "~/components/When";
import { Ladder } from "~/escalation/Ladder";
import { PageLadder } from "~/escalation/PageLadder";
import { buildFilter } from "~/filter/filter";
import { formatFigure } from "~/format/number";
import { formatDateTime } from "~/format/time";
import { useTimeRange } from "~/time/useTimeRange";
import { PageCard } from "./PageCard";
import { RunbookLinks } from "./RunbookLinks";
import { severityTone, severityWord } from "./severity";

function happened(data: Explanation): boolean {
  return data.state === "firing" || data.state === "resolved";
}

function toneOf(data: Explanation): Tone {
  if (data.state === "firing") return severityTone(data.severity);
  return data.state === "pending" ? "caution" : "ok";
}

const stateWords: Record<Explanation["state"], string> = {
  firing: "Firing",
  pending: "Pending",
  inactive: "Inactive",
  resolved: "Resolved",
};

/** What keeps it quiet, each with its reason or a way to what explains it. */
function Quiet({ data }: { data: Explanation }) {
  const silences = data.silences ?? [];
  const inhibitors = data.inhibitors ?? [];
  const unknown = [
    ...data.silenced_by.filter((id) => !silences.some((silence) => silence.id === id)),
    ...data.inhibited_by.filter((id) => !inhibitors.some((by) => by.fingerprint === id)),
  ];
  if (silences.length + inhibitors.length + unknown.length === 0) return <>nothing</>;
  return (
    <>
      {silences.map((silence) => (
        <div key={silence.id}>
          a silence of {silence.created_by || "somebody"} until <When at={silence.ends_at} />:{" "}
          {silence.comment || "no comment"}
        </div>
      ))}
      {inhibitors.map((by) => (
        <div key={by.fingerprint}>
          <Link to="/alerts/$alert" params={{ alert: by.fingerprint }}>
            {by.alert} {by.labels.service}
          </Link>
        </div>
      ))}
      {unknown.join(", ")}
    </>
  );
}

function Others({ data }: { data: Explanation }) {
  if (!data.others?.length) return null;
  return (
    <section className="panel stack tight">
      <h2>Other alerts named {data.alert}</h2>
      {data.others.map((other) => (
        <div className="row" key={other.fingerprint}>
          <Link to="/alerts/$alert" params={{ alert: other.fingerprint }}>
            {stateWords[other.state]}
          </Link>
          <Labels labels={other.labels} hide={["alertname", "severity"]} />
        </div>
      ))}
    </section>
  );
}

/** Whom its newest page went to; without a page, whom it would go to. */
function WhomItWentTo({ data }: { data: Explanation }) {
  const [page] = data.pages;
  if (!page && !data.escalation) return null;
  return (
    <section className="panel stack tight">
      <h2>{page ? "Whom the page went to" : "Whom it would page"}</h2>
      {page ? (
        <PageLadder key={page.id} page={page} known={data.escalation} />
      ) : (
        data.escalation && <Ladder view={data.escalation} />
      )}
    </section>
  );
}

/** Why was I paged, or why not? */
export function ExplainPage() {
  const { alert: asked } = useParams({ from: "/alerts/$alert" });
  const query = useQuery(explainQuery(asked));
  const alert = query.data?.alert ?? asked;
  return (
    <>
      <PageHead
        title={query.data && !happened(query.data) ? `Why not ${alert}` : `Why ${alert}`}
        answer={query.data?.summary ?? (query.error ? `${alert} cannot be explained.` : `Reading ${alert}`)}
        tone={query.data ? toneOf(query.data) : undefined}
        actions={
          <CopyMenu
            items={[
              { label: "Copy as curl", text: () => asCurl(`/sb/v1/explain/${encodeURIComponent(asked)}`) },
            ]}
          />
        }
      >
        <span className="row">
          <Link to="/alerts">All alerts and pages</Link>
          <RunbookLinks alert={alert} />
        </span>
      </PageHead>
      <Answer query={query} what={`the explanation of ${alert}`} height={320}>
        {(data) => <ExplainBody data={data} />}
      </Answer>
    </>
  );
}

function ExplainBody({ data }: { data: Explanation }) {
  const { zone } = useTimeRange();
  const { service, slo } = data.labels;
  return (
    <div className="stack">
      <Facts
        facts={[
          { name: "State", value: stateWords[data.state] },
          { name: "Severity", value: data.severity ? severityWord(data.severity) : "none" },
          {
            name: "Value",
            value: data.value == null ? "no data" : formatFigure(data.value, "none"),
            note: data.condition ? `needs ${data.condition}` : "now",
          },
          {
            name: data.state === "pending" ? "Pending since" : "Active since",
            value: data.active_since ? <When at={data.active_since} /> : "not active",
          },
          { name: "Kept quiet by", value: <Quiet data={data} /> },
          ...(data.flapping ? [{ name: "Flapping", value: data.flapping }] : []),
          { name: "Goes to", value: data.receivers?.join(", ") || "nobody" },
        ]}
      />
      {data.query && (
        <section className="panel stack tight">
          <div className="row">
            <h2>The condition</h2>
            <CopyButton text={data.query} label="Copy the query" />
            <Link to="/query" search={{ expr: [data.query] }} className="small">
              Open in Metrics
            </Link>
          </div>
          <pre tabIndex={0} style={{ overflowX: "auto" }}>
            {data.query}
          </pre>
          <Labels labels={data.labels} />
        </section>
      )}
      <WhomItWentTo data={data} />
      <section className="panel stack tight">
        <h2>What happened</h2>
        {data.timeline.length > 0 ? (
          <ol style={{ margin: 0, paddingLeft: 20 }}>
            {data.timeline.map((item) => (
              <li key={`${item.time}${item.event}`}>
                <span className="dim">{formatDateTime(Date.parse(item.time), zone)}</span> {item.event}
              </li>
            ))}
          </ol>
        ) : (
          <p className="dim">Nothing is recorded for this alert.</p>
        )}
        <div className="row small">
          {slo && (
            <Link to="/slos/$name" params={{ name: slo }}>
              What spent the budget
            </Link>
          )}
          {service && (
            <>
              <Link to="/traces" search={{ q: `${buildFilter({ service })} status:error` }}>
                Traces with errors
              </Link>
              <Link to="/logs" search={{ q: `${buildFilter({ service })} level:error` }}>
                Error logs
              </Link>
              <Link to="/remedies" search={{ service }}>
                Was it rolled back?
              </Link>
              <Link to="/services/$name" params={{ name: service }}>
                Service {service}
              </Link>
            </>
          )}
        </div>
      </section>
      <Others data={data} />
      {data.pages.map((page) => (
        <PageCard key={page.id} page={page} open={false} ladder={page !== data.pages[0]} />
      ))}
    </div>
  );
}
