import type { Coverage, OnCallPerson, Shift } from "~/api/types";

/** How far gaps are looked for. */
export const days = 30;

/** A person as people read it. */
export function personName({ name, shown }: OnCallPerson): string {
  return shown || name;
}

/** Every gap with its schedule, the first one first. */
export function gapsOf(coverage: Coverage) {
  return coverage.schedules
    .flatMap(({ schedule, gaps }) => gaps.map((gap) => ({ schedule, ...gap })))
    .sort((a, b) => Date.parse(a.start) - Date.parse(b.start));
}

export interface Block {
  shift?: Shift;
  /** Shares of the whole, 0 to 1. */
  from: number;
  size: number;
}

/** Shifts and the gaps between them, as shares of a span of time in ms. */
export function blocksOf(shifts: readonly Shift[], from: number, to: number): Block[] {
  const out: Block[] = [];
  const share = (ms: number) => (ms - from) / (to - from);
  let covered = from;
  for (const shift of shifts) {
    const start = Math.max(from, Date.parse(shift.start));
    const end = Math.min(to, Date.parse(shift.end));
    if (end <= start) continue;
    if (start > covered) out.push({ from: share(covered), size: share(start) - share(covered) });
    out.push({ shift, from: share(start), size: share(end) - share(start) });
    covered = end;
  }
  if (covered < to) out.push({ from: share(covered), size: 1 - share(covered) });
  return out;
}
