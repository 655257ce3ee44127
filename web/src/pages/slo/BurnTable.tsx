import type { Burn, SLOStatus } from "~/api/types";
import { type Column, DataTable } from "~/components/DataTable";
import { StateMark } from "~/components/StateMark";
import { formatWindow } from "~/format/duration";
import { formatFigure } from "~/format/number";
import { burnLimit, burnTone, sortedBurns } from "~/slo/burn";
import { type Limits, useLimits } from "~/slo/limits";

const words = { ok: "Below 1×", caution: "Above 1×", danger: "Over the limit", unknown: "No data" } as const;

const columnsFor = (limits: Limits): Column<Burn>[] => [
  { key: "window", head: "Window", cell: (burn) => formatWindow(burn.window) },
  {
    key: "rate",
    head: "Burn",
    numeric: true,
    cell: (burn) => formatFigure(burn.coverage < 0.05 ? null : burn.rate, "factor"),
  },
  {
    key: "limit",
    head: "Gate's limit",
    numeric: true,
    cell: (burn) => formatFigure(burnLimit(burn.window, limits)?.limit, "factor"),
  },
  {
    key: "state",
    head: "State",
    cell: (burn) => <StateMark tone={burnTone(burn, limits)} word={words[burnTone(burn, limits)]} />,
  },
  {
    key: "effect",
    head: "At the gate's limit",
    cell: (burn) => burnLimit(burn.window, limits)?.effect ?? "– (none for this window)",
  },
  { key: "events", head: "Events", numeric: true, cell: (burn) => formatFigure(burn.events, "count") },
  { key: "coverage", head: "Coverage", numeric: true, cell: (burn) => formatFigure(burn.coverage, "ratio") },
];

export function BurnTable({ slo }: { slo: SLOStatus }) {
  const limits = useLimits()(slo.name);
  if (slo.burn.length === 0)
    return <p className="dim">No burn rate: {slo.budget.reason || "there is no data"}.</p>;
  return (
    <>
      <DataTable
        label="Burn by window"
        rows={sortedBurns(slo)}
        columns={columnsFor(limits)}
        rowKey={(burn) => burn.window}
      />
      <p className="dim small">
        These limits are the budget policy's, for deployments. Alerts have limits of their own, which the
        sentence at the top names.
      </p>
    </>
  );
}
