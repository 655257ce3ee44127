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
import { When } from "~/components/When";
import { buildFilter } from "~/filter/filter";
import { formatFigure } from "~/format/number";
import { formatDateTime } from "~/format/time";
import { useTimeRange } from "~/time/useTimeRange";
import { PageCard } from "./PageCard";
import { severityTone, severityWord } from "./severity";

/** Why was I paged? */
export function ExplainPage() {
  const { alert } = useParams({ from: "/alerts/$alert" });
  const query = useQuery(explainQuery(alert));
  return (
    <>
      <PageHead
        title={`Why ${alert}`}
        answer={query.data?.summary ?? (query.error ? `${alert} cannot be explained.` : `Reading ${alert}`)}
        tone={query.data ? (query.data.active_since ? severityTone(query.data.severity) : "ok") : undefined}
        actions={
          <CopyMenu
            items={[
              { label: "Copy as curl", text: () => asCurl(`/sb/v1/explain/${encodeURIComponent(alert)}`) },
            ]}
          />
        }
      >
        <Link to="/alerts">All alerts and pages</Link>
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
  const quiet = [
    ...data.silenced_by.map((id) => `silence ${id}`),
    ...data.inhibited_by.map((id) => `alert ${id}`),
  ];
  return (
    <div className="stack">
      <Facts
        facts={[
          { name: "Severity", value: severityWord(data.severity) },
          { name: "Value", value: formatFigure(data.value, "none"), note: "when last evaluated" },
          { name: "Threshold", value: formatFigure(data.threshold, "none") },
          {
            name: "Active since",
            value: data.active_since ? <When at={data.active_since} /> : "not active",
          },
          { name: "Kept quiet by", value: quiet.length > 0 ? quiet.join(", ") : "nothing" },
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
                Failing traces
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
      {data.pages.map((page) => (
        <PageCard key={page.id} page={page} open={false} />
      ))}
    </div>
  );
}
