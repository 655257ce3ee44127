import type { SLOStatus } from "~/api/types";
import { type Fact, Facts } from "~/components/Facts";
import { formatDuration, formatWindow, significant, windowSeconds } from "~/format/duration";
import { formatFigure, formatRatio, plural } from "~/format/number";
import { formatWhen } from "~/format/time";
import { useLimits } from "~/slo/limits";
import { type Hour, hourRules, whatIf } from "~/slo/whatif";
import { useTimeRange } from "~/time/useTimeRange";

interface Props {
  list: readonly Hour[];
  /** 0 to 1 */
  target: number;
  window: string;
  /** The SLO whose policy's limits and own judgement count; the default policy's limits without one. */
  slo?: SLOStatus;
}

/** The consequences of a target and a window, in words and figures. */
export function WhatIfFacts({ list, target, window, slo }: Props) {
  const { zone, now } = useTimeRange();
  const rules = hourRules(useLimits()(slo?.name));
  const seconds = windowSeconds(window) ?? 0;
  if (list.length === 0)
    return <p className="dim">– (nothing was measured in the last {formatWindow(window)})</p>;
  const own = slo?.window === window && typeof slo.budget.used_ratio === "number";
  const judged = own ? { used: slo.budget.used_ratio ?? 0, objective: slo.objective } : undefined;
  const result = whatIf(list, target, seconds, rules, judged);
  const over = formatWindow(window);
  const partial = result.coverage < 0.95;
  const days = `${significant(result.daysSpent)} d of ${significant(seconds / 86_400)} d`;
  const words =
    result.left < 0
      ? `It would have been broken: overspent by ${formatRatio(-result.left)}.`
      : `It would have been kept, with ${formatRatio(result.left)} of the budget left.`;
  const facts: Fact[] = [
    {
      name: "Budget left",
      value: formatFigure(result.left, "ratio"),
      note:
        result.goneAt === undefined
          ? `of that for ${over}, never gone`
          : `gone on ${formatWhen(result.goneAt * 1000, zone, now)}`,
    },
    {
      name: "Spent, in days of budget",
      value: days,
      note: `${plural(result.daysOver, "day")} above their share`,
    },
    {
      name: "Times over the burn limits",
      value: rules.length > 0 ? String(result.pages) : "–",
      note:
        rules.length > 0
          ? `by the hour, ${rules.map((rule) => `${rule.factor}× over ${rule.long} h`).join(", ")}`
          : "no limits are known",
    },
    {
      name: "As full outage",
      value: formatDuration((1 - target) * seconds),
      note: `the whole budget over ${over}`,
    },
  ];
  return (
    <div className="stack tight">
      <p>
        <strong>{words}</strong>
        {partial && ` Only ${formatRatio(result.coverage)} of ${over} has data.`}
      </p>
      <Facts facts={facts} />
    </div>
  );
}
