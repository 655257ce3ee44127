import { Skeleton } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useMemo } from "react";
import { causesQuery, deploysQuery, pagesQuery, slosQuery } from "~/api/queries";
import type { CauseGroup, SLOStatus } from "~/api/types";
import { Answer } from "~/components/Answer";
import { CopyMenu } from "~/components/CopyMenu";
import { asCurl } from "~/components/clipboard";
import { DeployList } from "~/components/DeployList";
import { EmptyNote } from "~/components/EmptyNote";
import { PageHead } from "~/components/PageHead";
import { StateMark } from "~/components/StateMark";
import { When } from "~/components/When";
import { isUrgent } from "~/pages/alerts/severity";
import { SloCard } from "~/slo/SloCard";
import { SloTable } from "~/slo/SloTable";
import { worstTone } from "~/slo/state";
import { useTimeRange } from "~/time/useTimeRange";
import { OnCallNow } from "./OnCallNow";

/** What is wrong, and which SLO is in danger? */
export function OverviewPage() {
  const slos = useQuery(slosQuery);
  const causes = useQuery(causesQuery);
  const all = slos.data?.slos ?? [];
  const answer =
    causes.data?.summary ||
    slos.data?.summary ||
    (slos.error ? "The state of the SLOs is not known." : "Reading the SLOs");
  return (
    <>
      <PageHead
        title="Overview"
        answer={answer}
        tone={slos.data ? (worstTone(all) ?? "unknown") : undefined}
        actions={<CopyMenu items={[{ label: "Copy as curl", text: () => asCurl("/sb/v1/slos") }]} />}
      >
        {slos.data && (
          <>
            Computed at <When at={slos.data.time} />, from what was measured.{" "}
            <Link to="/slos/new">Propose an SLO</Link> · <Link to="/gate/policies">Budget policies</Link> ·{" "}
            <Link to="/backtest">Backtest</Link> · <Link to="/reports">Reports</Link>
          </>
        )}
      </PageHead>
      <FiringPages />
      <OnCallNow />
      <Answer query={slos} what="the SLOs" skeleton={<OverviewSkeleton />}>
        {() => <SLOs slos={all} causes={causes.data?.causes ?? []} />}
      </Answer>
      <Changes />
    </>
  );
}

/** SLOs in danger that share a cause, under it; those whose cause is not known by themselves. */
function InDanger({ slos, causes }: { slos: readonly SLOStatus[]; causes: readonly CauseGroup[] }) {
  const groups = causes
    .map((group) => ({
      group,
      slos: group.slos.flatMap((name) => slos.filter((slo) => slo.name === name)),
    }))
    .filter((entry) => entry.slos.length > 0);
  const rest = slos.filter((slo) => !groups.some((entry) => entry.slos.includes(slo)));
  return (
    <>
      {groups.map((entry) => (
        <section key={entry.group.cause.service} aria-label={entry.group.text} className="stack tight">
          {entry.slos.length > 1 && <h2>{entry.group.text}</h2>}
          {entry.slos.map((slo) => (
            <SloCard key={slo.name} slo={slo} />
          ))}
        </section>
      ))}
      {rest.map((slo) => (
        <SloCard key={slo.name} slo={slo} />
      ))}
    </>
  );
}

function SLOs({ slos, causes }: { slos: readonly SLOStatus[]; causes: readonly CauseGroup[] }) {
  if (slos.length === 0) {
    return (
      <EmptyNote
        title="No SLO is written down yet."
        command={`export OTEL_EXPORTER_OTLP_ENDPOINT=http://${window.location.hostname}:4317\nsignalbox check slos slos/*.yaml\nsignalbox serve --config.file signalbox.yml   # slo_files: ["slos/*.yaml"]`}
      >
        Point any OpenTelemetry SDK here first; then <Link to="/slos/new">let an SLO be proposed</Link> from
        what its service did, or write one: an OpenSLO v1 document that slo_files names.
      </EmptyNote>
    );
  }
  const danger = slos.filter((slo) => slo.state === "burning" || slo.state === "exhausted");
  const rest = slos.filter((slo) => !danger.includes(slo));
  return (
    <div className="stack">
      <InDanger slos={danger} causes={causes} />
      {rest.length > 0 && (
        <section className="panel stack tight">
          <h2>{danger.length > 0 ? "The other SLOs" : "SLOs"}</h2>
          <SloTable slos={rest} label="SLOs that are not in danger" />
        </section>
      )}
    </div>
  );
}

function FiringPages() {
  const pages = useQuery(pagesQuery);
  const waiting =
    pages.data?.pages.filter(
      (page) => page.status === "firing" && !page.acked_by && isUrgent(page.severity),
    ) ?? [];
  const [first] = waiting;
  if (!first) return null;
  return (
    <div className="panel row between">
      <span className="row">
        <StateMark
          tone="danger"
          word={waiting.length === 1 ? "A page waits" : `${waiting.length} pages wait`}
        />
        <span>
          {first.title}, since <When at={first.time} ago />
        </span>
      </span>
      <Link to="/alerts" search={{ open: first.id }}>
        Acknowledge
      </Link>
    </div>
  );
}

const changesSpanMs = 86_400_000;

function Changes() {
  const { now } = useTimeRange();
  const minute = Math.floor(now / 60_000) * 60_000;
  const range = useMemo(() => ({ from: minute - changesSpanMs, to: minute + 60_000 }), [minute]);
  const deploys = useQuery(deploysQuery(range, undefined, 8));
  return (
    <section className="panel stack tight">
      <h2>What changed in the last 24 h</h2>
      <Answer query={deploys} what="the deployments" height={80}>
        {(data) =>
          data.deploys.length > 0 ? (
            <DeployList deploys={data.deploys} />
          ) : (
            <p className="dim">
              No deployment was recorded. Record one with POST /sb/v1/deploys from the pipeline.
            </p>
          )
        }
      </Answer>
    </section>
  );
}

function OverviewSkeleton() {
  return (
    <div className="stack">
      <Skeleton height={220} radius={8} />
      <Skeleton height={320} radius={8} />
    </div>
  );
}
