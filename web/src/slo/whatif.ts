import type { PromData, SLOStatus } from "~/api/types";
import { windowSeconds } from "~/format/duration";
import type { Limits } from "./limits";

/** Targets a slider stops at, in percent: the usual ones, closer together towards 100. */
export const targets = [90, 95, 97, 98, 99, 99.5, 99.7, 99.8, 99.9, 99.95, 99.99] as const;

export const windows = ["7d", "14d", "28d", "30d", "90d"] as const;

/** A burn of `factor` over `long` hours is over the limit. */
export interface HourRule {
  long: number;
  factor: number;
}

/** The policy's long windows in whole hours: what hourly figures can tell. */
export function hourRules(limits: Limits): HourRule[] {
  return limits.burns
    .filter((one) => one.long)
    .map((one) => ({ long: (windowSeconds(one.window) ?? 0) / 3600, factor: one.limit }))
    .filter((rule) => rule.long >= 1);
}

/** One hour of an SLO. Without event counts each hour weighs the same. */
export interface Hour {
  /** Unix seconds, the hour's end. */
  time: number;
  bad: number;
  total: number;
}

export interface WhatIf {
  /** Negative when overspent. */
  left: number;
  /** How many of the window's days the budget spent is worth. */
  daysSpent: number;
  /** Days on which more than that day's share of the budget went. */
  daysOver: number;
  pages: number;
  /** Unix seconds at which the budget was gone, counted from the window's start. */
  goneAt: number | undefined;
  /** Share of the window's hours with data. */
  coverage: number;
}

function values(data: PromData | undefined): Map<number, number> {
  const out = new Map<number, number>();
  if (data?.resultType !== "matrix") return out;
  for (const [time, text] of data.result[0]?.values ?? []) {
    const value = Number(text);
    if (Number.isFinite(value)) out.set(time, value);
  }
  return out;
}

/** Hours from the error ratio and, where there are events, their number. */
export function hours(error: PromData | undefined, total: PromData | undefined): Hour[] {
  const counts = values(total);
  const weighed = counts.size > 0;
  const out: Hour[] = [];
  for (const [time, ratio] of values(error)) {
    const all = weighed ? (counts.get(time) ?? 0) : 1;
    out.push({ time, bad: Math.min(1, Math.max(0, ratio)) * all, total: all });
  }
  return out.sort((a, b) => a.time - b.time);
}

/** How often the mean over the last `long` hours reached the factor after having been below it. */
function reached(list: readonly Hour[], long: number, factor: number, budget: number): Set<number> {
  const hot = new Set<number>();
  for (let i = 0; i < list.length; i++) {
    const end = list[i]?.time ?? 0;
    let bad = 0;
    let all = 0;
    for (let j = i; j >= 0 && end - (list[j]?.time ?? 0) < long * 3600; j--) {
      bad += list[j]?.bad ?? 0;
      all += list[j]?.total ?? 0;
    }
    if (all > 0 && bad / all >= factor * budget * (1 - 1e-9)) hot.add(end);
  }
  return hot;
}

/** How much of its budget an SLO has used by its own judgement, and at which objective. */
export interface Judged {
  used: number;
  objective: number;
}

const budgetOf = (target: number) => Math.round((1 - target) * 1e12) / 1e12;

/** How much of the window has passed since the first hour with data: what is younger has the whole budget. */
function age(list: readonly Hour[], seconds: number): number {
  const first = list[0]?.time ?? 0;
  const last = list.at(-1)?.time ?? 0;
  return Math.min(1, (last - first + 3600) / seconds);
}

/**
 * What another target over these hours would have meant. The hours are those of the window. Over the SLO's own
 * window its own judgement counts, not the arithmetic on hours: the same number stands everywhere.
 */
export function whatIf(
  list: readonly Hour[],
  target: number,
  seconds: number,
  rules: readonly HourRule[],
  judged?: Judged,
): WhatIf {
  const budget = budgetOf(target);
  const total = list.reduce((sum, hour) => sum + hour.total, 0);
  const bad = list.reduce((sum, hour) => sum + hour.bad, 0);
  const used = judged
    ? (judged.used * budgetOf(judged.objective)) / budget
    : total > 0
      ? (bad / (budget * total)) * age(list, seconds)
      : 0;
  const days = new Map<number, { bad: number; total: number }>();
  let goneAt: number | undefined;
  let sum = 0;
  for (const hour of list) {
    const day = Math.floor((hour.time - 1) / 86_400);
    const old = days.get(day) ?? { bad: 0, total: 0 };
    days.set(day, { bad: old.bad + hour.bad, total: old.total + hour.total });
    sum += hour.bad;
    if (goneAt === undefined && bad > 0 && used >= 1 && sum * used >= bad) goneAt = hour.time;
  }
  const hot = new Set(rules.flatMap((rule) => [...reached(list, rule.long, rule.factor, budget)]));
  let pages = 0;
  let before = false;
  for (const hour of list) {
    const now = hot.has(hour.time);
    if (now && !before) pages++;
    before = now;
  }
  return {
    left: 1 - used,
    daysSpent: (used * seconds) / 86_400,
    daysOver: [...days.values()].filter((day) => day.bad > budget * day.total).length,
    pages,
    goneAt,
    coverage: Math.min(1, list.length / (seconds / 3600)),
  };
}

/** The strictest of the stops that these hours would have kept with a share of the budget left. */
export function suggestTarget(list: readonly Hour[], leave: number): number | undefined {
  const total = list.reduce((sum, hour) => sum + hour.total, 0);
  const bad = list.reduce((sum, hour) => sum + hour.bad, 0);
  if (total <= 0) return undefined;
  return [...targets].reverse().find((percent) => 1 - bad / ((1 - percent / 100) * total) >= leave);
}

/** The nearest stop of the slider. */
export function nearest(stops: readonly number[], value: number): number {
  let best = 0;
  stops.forEach((stop, at) => {
    if (Math.abs(stop - value) < Math.abs((stops[best] ?? 0) - value)) best = at;
  });
  return best;
}

/** Stops with the SLO's own target and window among them. */
export function stopsFor(slo: SLOStatus): { targets: number[]; windows: string[] } {
  const own = Math.round(slo.objective * 1e8) / 1e6;
  return {
    targets: [...new Set([...targets, own])].sort((a, b) => a - b),
    windows: (windows as readonly string[]).includes(slo.window) ? [...windows] : [slo.window, ...windows],
  };
}
