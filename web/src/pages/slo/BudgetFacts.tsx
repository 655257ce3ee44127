import type { SLOStatus } from "~/api/types";
import { type Fact, Facts } from "~/components/Facts";
import { formatDuration, formatDurationExact, formatWindow } from "~/format/duration";
import { formatFigure, formatRatio } from "~/format/number";
import { knownLeft } from "~/slo/state";

/** The budget in figures, each with its window. */
export function BudgetFacts({ slo }: { slo: SLOStatus }) {
  const { budget } = slo;
  const known = knownLeft(slo);
  const unknown = known === undefined;
  const left = known ?? 0;
  const over = formatWindow(slo.window);
  const unit = slo.method === "timeslices" ? "min" : "events";
  const why = budget.reason || `${formatRatio(budget.coverage)} of ${over} has data`;
  const figure = (text: string) => (unknown ? "–" : text);
  const facts: Fact[] = [
    {
      name: "Budget left",
      value: formatFigure(known, "ratio"),
      note: unknown ? why : `${formatFigure(budget.used_ratio, "ratio")} used of that for ${over}`,
    },
    {
      name: "Bad of allowed",
      value: figure(`${formatFigure(budget.bad, "count")} of ${formatFigure(budget.allowed, "count")}`),
      note: unknown ? why : `${unit} over ${over}`,
    },
    {
      name: "As full outage",
      value: formatDurationExact(budget.minutes * 60),
      note: `the whole budget over ${over}`,
    },
    {
      name: "Measured",
      value: figure(formatRatio(budget.sli ?? 0)),
      note: unknown ? why : `objective ${formatRatio(slo.objective)}`,
    },
    {
      name: "Gone in",
      value:
        slo.exhausted_in_seconds === undefined || left <= 0 ? "–" : formatDuration(slo.exhausted_in_seconds),
      note:
        left <= 0 && !unknown
          ? "nothing is left"
          : slo.exhausted_in_seconds === undefined
            ? "not burning faster than it recovers"
            : "at the burn of the last hour",
    },
    { name: "Coverage", value: formatRatio(budget.coverage), note: `of ${over} has data` },
  ];
  return <Facts facts={facts} />;
}
