import type { SLOHistory, SLOHistoryPoint, SLOStatus } from "~/api/types";
import { knownLeft } from "./state";

/**
 * The budget's curve ends where the page says that the budget is: at the time of the SLO's judgement, with what it
 * has left, whenever the two were asked for. What is not known is a gap.
 */
export function withNow(history: SLOHistory, slo: SLOStatus): SLOHistory {
  const at = Date.parse(slo.time);
  const now: SLOHistoryPoint = {
    time: slo.time,
    left_ratio: knownLeft(slo) ?? null,
    burn_1h: null,
    error_ratio: null,
  };
  const before = history.points.filter((point) => Date.parse(point.time) < at);
  const after = history.points.filter((point) => Date.parse(point.time) > at);
  return {
    ...history,
    points: [...before, now, ...after.map((point) => ({ ...point, left_ratio: null }))],
  };
}
