import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { servicesQuery } from "~/api/queries";
import type { ServiceRow } from "~/api/types";
import { Answer } from "~/components/Answer";
import { CopyMenu } from "~/components/CopyMenu";
import { asCurl } from "~/components/clipboard";
import { type Column, DataTable } from "~/components/DataTable";
import { EmptyNote } from "~/components/EmptyNote";
import { PageHead } from "~/components/PageHead";
import { When } from "~/components/When";
import { formatFigure, plural } from "~/format/number";
import { SloMark } from "~/slo/SloMark";
import { stateTone } from "~/slo/state";
import { useTimeRange } from "~/time/useTimeRange";

type State = ServiceRow["slo_state"];

/** The services as one sentence: how many, and the one that needs a look. */
export function servicesAnswer(rows: readonly ServiceRow[]): string {
  if (rows.length === 0) return "No service has sent a span in this time range.";
  const danger = rows.filter((row) => row.slo_state === "burning" || row.slo_state === "exhausted");
  const worst = [...rows].sort((a, b) => (b.error_ratio ?? -1) - (a.error_ratio ?? -1))[0];
  const count = plural(rows.length, "service");
  if (danger.length > 0) {
    const names = danger
      .map((row) => row.service)
      .slice(0, 3)
      .join(", ");
    return `${danger.length} of ${count} ${danger.length === 1 ? "breaks its" : "break their"} SLOs: ${names}.`;
  }
  if (worst?.error_ratio)
    return `${count}, none in danger; ${worst.service} has the most errors, ${formatFigure(worst.error_ratio, "ratio")}.`;
  return `${count}, none in danger and none with errors.`;
}

const rank: Record<State, number> = { exhausted: 0, burning: 1, insufficient: 2, ok: 3, none: 4 };

const columns: Column<ServiceRow>[] = [
  {
    key: "service",
    head: "Service",
    full: true,
    cell: (row) => (
      <Link to="/services/$name" params={{ name: row.service }} data-row>
        {row.service}
      </Link>
    ),
  },
  { key: "state", head: "SLOs", cell: (row) => <SloMark state={row.slo_state} /> },
  { key: "rate", head: "Requests", numeric: true, cell: (row) => formatFigure(row.rate, "per_second") },
  { key: "errors", head: "Errors", numeric: true, cell: (row) => formatFigure(row.error_ratio, "ratio") },
  { key: "p95", head: "P95", numeric: true, cell: (row) => formatFigure(row.p95_seconds, "seconds") },
  {
    key: "versions",
    head: "Versions",
    cell: (row) => row.versions.slice(0, 3).join(", ") || <span className="dim">–</span>,
  },
  {
    key: "deploy",
    head: "Last deployment",
    cell: (row) =>
      row.last_deploy ? (
        <span>
          {row.last_deploy.version} at <When at={row.last_deploy.time ?? ""} ago />
        </span>
      ) : (
        <span className="dim">none recorded</span>
      ),
  },
];

/** Which service needs a look? */
export function ServicesPage() {
  const { resolved } = useTimeRange();
  const query = useQuery(servicesQuery(resolved));
  const rows = [...(query.data?.services ?? [])].sort(
    (a, b) => rank[a.slo_state] - rank[b.slo_state] || (b.error_ratio ?? 0) - (a.error_ratio ?? 0),
  );
  const worst = rows[0]?.slo_state;
  return (
    <>
      <PageHead
        title="Services"
        answer={
          query.data
            ? servicesAnswer(rows)
            : query.error
              ? "The services are not known."
              : "Reading the services"
        }
        tone={worst && worst !== "none" ? stateTone[worst] : undefined}
        actions={<CopyMenu items={[{ label: "Copy as curl", text: () => asCurl("/sb/v1/services") }]} />}
      >
        <span className="row">
          <Link to="/catalog">Whose they are</Link>
          <Link to="/runbooks">Runbooks</Link>
        </span>
      </PageHead>
      <Answer query={query} what="the services" height={320}>
        {() =>
          rows.length > 0 ? (
            <section className="panel">
              <DataTable label="Services" rows={rows} columns={columns} rowKey={(row) => row.service} />
            </section>
          ) : (
            <EmptyNote
              title="No service is known yet."
              command={`export OTEL_EXPORTER_OTLP_ENDPOINT=http://${window.location.hostname}:4317\nexport OTEL_SERVICE_NAME=my-service`}
            >
              Point any OpenTelemetry SDK here; its services appear with their first spans. Or widen the time
              range.
            </EmptyNote>
          )
        }
      </Answer>
    </>
  );
}
