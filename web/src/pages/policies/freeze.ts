import type { Freeze, NamedPolicy } from "~/api/types";

const days = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"];
const week = 7 * 24 * 60;

export interface FreezeWindow {
  policy: string;
  freeze: Freeze;
  /** Unix ms */
  from: number;
  /** Unix ms */
  to: number;
}

/** Minutes that a zone's clock is ahead of UTC at a moment. */
function offset(ms: number, zone: string): number {
  const parts = new Intl.DateTimeFormat("en-US", {
    timeZone: zone,
    hourCycle: "h23",
    year: "numeric",
    month: "numeric",
    day: "numeric",
    hour: "numeric",
    minute: "numeric",
  }).formatToParts(ms);
  const get = (type: string) => Number(parts.find((part) => part.type === type)?.value);
  const local = Date.UTC(get("year"), get("month") - 1, get("day"), get("hour"), get("minute"));
  return Math.round((local - Math.floor(ms / 60_000) * 60_000) / 60_000);
}

/** A wall clock, given as if it were UTC, in a zone: Unix ms. */
function inZone(wall: number, zone: string): number {
  const guess = wall - offset(wall, zone) * 60_000;
  return wall - offset(guess, zone) * 60_000;
}

function parseWeekly(text: string): number | undefined {
  const match = /^\s*([a-z]{3})[a-z]*\s+(\d{1,2}):(\d{2})\s*$/i.exec(text);
  const day = days.indexOf((match?.[1] ?? "").toLowerCase());
  return match && day >= 0 ? day * 1440 + Number(match[2]) * 60 + Number(match[3]) : undefined;
}

function parseLocal(text: string | undefined, zone: string): number | undefined {
  const match = /^(\d{4}-\d{2}-\d{2})(?:[ T](\d{2}:\d{2}))?$/.exec(text ?? "");
  if (!match) return undefined;
  return inZone(Date.parse(`${match[1]}T${match[2] ?? "00:00"}Z`), zone);
}

/** The window of a freeze that holds at a moment or comes next; undefined when it is over for good. */
export function nextWindow(freeze: Freeze, now: number): { from: number; to: number } | undefined {
  const zone = freeze.time_zone || "UTC";
  if (!freeze.weekly) {
    const from = parseLocal(freeze.start, zone);
    const to = parseLocal(freeze.end, zone);
    return from !== undefined && to !== undefined && to > now ? { from, to } : undefined;
  }
  const begin = parseWeekly(freeze.weekly.from);
  const end = parseWeekly(freeze.weekly.to);
  if (begin === undefined || end === undefined) return undefined;
  const length = (end - begin + week) % week;
  const wall = now + offset(now, zone) * 60_000;
  const midnight = Math.floor(wall / 86_400_000) * 86_400_000;
  const sunday = midnight - new Date(wall).getUTCDay() * 86_400_000;
  for (const ahead of [-1, 0, 1]) {
    const start = sunday + (ahead * week + begin) * 60_000;
    const to = inZone(start + length * 60_000, zone);
    if (to > now) return { from: inZone(start, zone), to };
  }
  return undefined;
}

/** Every policy's freezes that hold or come, soonest first. */
export function freezeWindows(policies: readonly NamedPolicy[], now: number): FreezeWindow[] {
  return policies
    .flatMap((policy) =>
      (policy.freezes ?? []).flatMap((freeze) => {
        const window = nextWindow(freeze, now);
        return window ? [{ policy: policy.name, freeze, ...window }] : [];
      }),
    )
    .sort((a, b) => a.from - b.from);
}
