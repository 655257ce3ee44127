import type { SLOStatus } from "~/api/types";
import { type Column, DataTable } from "~/components/DataTable";
import { formatFigure } from "~/format/number";
import { BandNote } from "~/slo/BandMark";
import { SloMark } from "~/slo/SloMark";
import { knownLeft } from "~/slo/state";

type Group = NonNullable<NonNullable<SLOStatus["groups"]>["list"]>[number];

const columns: Column<Group>[] = [
  {
    key: "group",
    head: "Group",
    full: true,
    cell: (one) =>
      Object.entries(one.labels)
        .map(([name, value]) => `${name}="${value}"`)
        .join(", "),
  },
  { key: "state", head: "State", cell: (one) => (one.ended ? "Ended" : <SloMark state={one.state} />) },
  { key: "band", head: "Band", cell: (one) => <BandNote band={one.band} /> },
  {
    key: "left",
    head: "Budget left",
    numeric: true,
    cell: (one) => formatFigure(knownLeft(one), "ratio"),
  },
  { key: "why", head: "Why", cell: (one) => one.reason },
];

/** The groups that have a budget each, worst first. */
export function GroupTable({ slo }: { slo: SLOStatus }) {
  if (!slo.groups?.list?.length) return null;
  return (
    <section className="panel stack tight">
      <h2>Groups</h2>
      <DataTable label="Groups" rows={slo.groups.list} columns={columns} rowKey={(one) => one.name} />
      {slo.groups.left_out?.length ? (
        <p className="dim small">Above the limit, not judged: {slo.groups.left_out.join(", ")}.</p>
      ) : null}
    </section>
  );
}
