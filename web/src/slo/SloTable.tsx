import { Link } from "@tanstack/react-router";
import type { SLOStatus } from "~/api/types";
import { type Column, DataTable } from "~/components/DataTable";
import { formatWindow } from "~/format/duration";
import { formatFigure, formatRatio } from "~/format/number";
import { parseSpan } from "~/time/range";
import { BandNote } from "./BandMark";
import { BudgetBar } from "./BudgetBar";
import { SloMark } from "./SloMark";
import classes from "./SloTable.module.css";

function burnOver(slo: SLOStatus, window: string): string {
  const burn = slo.burn.find((one) => parseSpan(one.window) === parseSpan(window));
  return burn && burn.coverage >= 0.05 ? formatFigure(burn.rate, "factor") : "–";
}

const columns: Column<SLOStatus>[] = [
  {
    key: "name",
    head: "SLO",
    full: true,
    cell: (slo) => (
      <>
        <Link to="/slos/$name" params={{ name: slo.name }} data-row>
          {slo.display_name}
        </Link>
        <div className={`dim small ${classes.what}`}>{slo.description || slo.indicator}</div>
      </>
    ),
  },
  {
    key: "state",
    head: "State",
    cell: (slo) => (
      <span className={classes.state}>
        <SloMark state={slo.state} />
        <BandNote band={slo.band} />
      </span>
    ),
  },
  {
    key: "service",
    head: "Service",
    cell: (slo) => (
      <Link to="/services/$name" params={{ name: slo.service }}>
        {slo.service}
      </Link>
    ),
  },
  {
    key: "objective",
    head: "Objective",
    cell: (slo) => (
      <span className="nowrap">
        {formatRatio(slo.objective)} <span className="dim">over {formatWindow(slo.window)}</span>
      </span>
    ),
  },
  { key: "budget", head: "Budget left", cell: (slo) => <BudgetBar slo={slo} /> },
  { key: "burn1h", head: "Burn 1 h", numeric: true, cell: (slo) => burnOver(slo, "1h") },
  { key: "burn6h", head: "Burn 6 h", numeric: true, cell: (slo) => burnOver(slo, "6h") },
];

/** SLOs in one line each. */
export function SloTable({ slos, label }: { slos: readonly SLOStatus[]; label: string }) {
  return <DataTable label={label} rows={slos} columns={columns} rowKey={(slo) => slo.name} />;
}
