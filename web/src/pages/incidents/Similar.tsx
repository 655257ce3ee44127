import { Link } from "@tanstack/react-router";
import type { IncidentSimilar } from "~/api/types";
import { type Column, DataTable } from "~/components/DataTable";
import { Shown } from "~/components/Shown";
import { When } from "~/components/When";

const columns: Column<IncidentSimilar>[] = [
  {
    key: "title",
    head: "Incident",
    full: true,
    cell: (one) => (
      <Link to="/incidents/$id" params={{ id: one.id }} data-row>
        <Shown text={one.title} />
      </Link>
    ),
  },
  { key: "time", head: "When", cell: (one) => <When at={one.time} /> },
  { key: "severity", head: "Severity", cell: (one) => one.severity },
  { key: "score", head: "In common", numeric: true, cell: (one) => `${Math.round(one.score * 100)} %` },
  {
    key: "common",
    head: "What",
    full: true,
    cell: (one) => <span className="small dim">{one.common.join(", ")}</span>,
  },
  {
    key: "cause",
    head: "Its root cause",
    cell: (one) =>
      one.root_cause ? <Shown text={one.root_cause} /> : <span className="dim">not written</span>,
  },
];

/** Past incidents that have much in common with one: what was it then? */
export function Similar({ similar }: { similar: readonly IncidentSimilar[] }) {
  return (
    <section className="panel stack tight">
      <h2>Similar incidents</h2>
      {similar.length > 0 ? (
        <DataTable label="Similar incidents" rows={similar} columns={columns} rowKey={(one) => one.id} />
      ) : (
        <p className="dim">None has much in common with this one.</p>
      )}
    </section>
  );
}
