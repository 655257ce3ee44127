import type { Budget, SLOStatus } from "~/api/types";
import { type Column, DataTable } from "~/components/DataTable";
import { formatFigure, formatRatio } from "~/format/number";

interface Row {
  name: string;
  why: string;
  budget: Budget;
}

/** The contract's numbers beside those that users felt. */
export function FeltTable({ slo }: { slo: SLOStatus }) {
  if (!slo.felt) return null;
  const gap = (slo.felt.used_ratio ?? 0) - (slo.budget.used_ratio ?? 0);
  const unit = slo.method === "timeslices" ? "min" : "events";
  const rows: Row[] = [
    { name: "By contract", why: "corrections taken out", budget: slo.budget },
    { name: "As users felt it", why: "everything counted", budget: slo.felt },
  ];
  const columns: Column<Row>[] = [
    {
      key: "name",
      head: "Counted",
      full: true,
      cell: (row) => (
        <>
          <strong>{row.name}</strong> <span className="dim">{row.why}</span>
        </>
      ),
    },
    {
      key: "left",
      head: "Budget left",
      numeric: true,
      cell: (row) => formatFigure(row.budget.left_ratio, "ratio"),
    },
    {
      key: "used",
      head: "Used",
      numeric: true,
      cell: (row) => formatFigure(row.budget.used_ratio, "ratio"),
    },
    { key: "sli", head: "Measured", numeric: true, cell: (row) => formatFigure(row.budget.sli, "ratio") },
    {
      key: "bad",
      head: `Bad, ${unit}`,
      numeric: true,
      cell: (row) => formatFigure(row.budget.bad, "count"),
    },
    {
      key: "allowed",
      head: `Allowed, ${unit}`,
      numeric: true,
      cell: (row) => formatFigure(row.budget.allowed, "count"),
    },
  ];
  return (
    <section className="panel stack tight" aria-label="By contract and as users felt it">
      <h2>
        {Math.abs(gap) < 0.0005
          ? "The corrections change nothing: users felt what the contract counts."
          : `Users felt ${formatRatio(Math.abs(gap))} of the budget ${gap > 0 ? "more" : "less"} than the contract counts.`}
      </h2>
      <DataTable
        label="By contract and as users felt it"
        rows={rows}
        columns={columns}
        rowKey={(row) => row.name}
      />
    </section>
  );
}
