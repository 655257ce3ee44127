import type {
  BacktestAlert,
  BacktestDeploy,
  BacktestOutcome,
  BacktestPage,
  BacktestResult,
  BacktestSLO,
  Verdict,
} from "~/api/types";
import { formatDuration } from "~/format/duration";
import { plural } from "~/format/number";

export type Side = "A" | "B";

/** Severities that wake somebody; the server counts by the same. */
const paging = new Set(["critical", "page", "p0", "p1"]);

export function isPage(page: BacktestPage): boolean {
  return paging.has(page.severity.toLowerCase());
}

export const stopped = (verdict: Verdict) => verdict === "hold" || verdict === "block";

export interface Tally {
  pages: number;
  others: number;
  pagedSeconds: number;
  deploys: number;
  held: number;
  blocked: number;
  unsure: number;
}

export function tally(set: BacktestOutcome): Tally {
  const pages = set.pages.filter(isPage);
  const count = (verdict: Verdict) => set.deploys.filter((one) => one.verdict === verdict).length;
  return {
    pages: pages.length,
    others: set.pages.length - pages.length,
    pagedSeconds: pages.reduce((sum, page) => sum + page.seconds, 0),
    deploys: set.deploys.length,
    held: count("hold"),
    blocked: count("block"),
    unsure: count("insufficient"),
  };
}

function times(count: number): string {
  return count === 0 ? "never" : count === 1 ? "once" : `${count} times`;
}

/** `held`, `blocked` or `held or blocked`, by which of them there are. */
function stoppedWord(...tallies: Tally[]): string {
  const held = tallies.some((one) => one.held > 0);
  const blocked = tallies.some((one) => one.blocked > 0);
  if (held && blocked) return "held or blocked";
  return blocked ? "blocked" : "held";
}

/** The answer in words: `With B you would have been paged 3 times instead of 11; 2 deployments would have been held.` */
export function answerOf(result: BacktestResult): string {
  const [first, second] = result.sets;
  if (!first) return "Nothing was replayed.";
  const a = tally(first);
  const span = formatDuration((Date.parse(result.end) - Date.parse(result.start)) / 1000);
  if (!second) {
    const paged =
      a.pages === 0 ? "Nobody would have been paged" : `You would have been paged ${times(a.pages)}`;
    return `${paged} in ${span}; ${deployWords(a)}.`;
  }
  const b = tally(second);
  const paged =
    a.pages === b.pages
      ? a.pages === 0
        ? "Nobody would have been paged, with A or with B"
        : `With B you would have been paged ${times(b.pages)}, as with A`
      : `With B you would have been paged ${times(b.pages)} instead of ${a.pages}`;
  const stopA = a.held + a.blocked;
  const stopB = b.held + b.blocked;
  if (a.deploys === 0 && b.deploys === 0) return `${paged}; nothing was deployed in ${span}.`;
  const word = stoppedWord(a, b);
  const held =
    stopA === stopB
      ? stopB === 0
        ? `none of ${plural(b.deploys, "deployment")} would have been held, with either`
        : `${plural(stopB, "deployment")} would have been ${word}, as with A`
      : `${plural(stopB, "deployment")} would have been ${word} instead of ${stopA === 0 ? "none" : stopA}`;
  return `${paged}; ${held}.`;
}

function deployWords(a: Tally): string {
  const stops = a.held + a.blocked;
  if (a.deploys === 0) return "nothing was deployed";
  if (stops === 0) return `none of ${plural(a.deploys, "deployment")} would have been held`;
  return `${stops} of ${plural(a.deploys, "deployment")} would have been ${stoppedWord(a)}`;
}

/** Something that both sides may have, side by side. */
export interface Pair<T> {
  a?: T | undefined;
  b?: T | undefined;
}

export const either = <T>(pair: Pair<T>): T => (pair.a ?? pair.b) as T;

function endOf(page: BacktestPage): number {
  return page.end ? Date.parse(page.end) : Date.parse(page.start) + page.seconds * 1000;
}

const identity = (page: BacktestPage) =>
  `${page.receiver}|${page.severity}|${Object.entries(page.group)
    .map(([key, value]) => `${key}=${value}`)
    .sort()
    .join(",")}`;

/** Pages of the two sets that are the same one: same receiver, severity and group, and their times meet. */
export function pairPages(a: readonly BacktestPage[], b: readonly BacktestPage[]): Pair<BacktestPage>[] {
  const free = [...b];
  const out: Pair<BacktestPage>[] = a.map((page) => {
    const at = free.findIndex(
      (other) =>
        identity(other) === identity(page) &&
        Date.parse(other.start) <= endOf(page) &&
        endOf(other) >= Date.parse(page.start),
    );
    return { a: page, b: at < 0 ? undefined : free.splice(at, 1)[0] };
  });
  out.push(...free.map((page) => ({ b: page })));
  return out.sort((x, y) => Date.parse(either(x).start) - Date.parse(either(y).start));
}

export function pairDeploys(
  a: readonly BacktestDeploy[],
  b: readonly BacktestDeploy[],
): Pair<BacktestDeploy>[] {
  const key = (one: BacktestDeploy) =>
    one.deploy.id ?? `${one.deploy.time}${one.deploy.service}${one.deploy.version}`;
  const others = new Map(b.map((one) => [key(one), one]));
  const out: Pair<BacktestDeploy>[] = a.map((one) => {
    const other = others.get(key(one));
    others.delete(key(one));
    return { a: one, b: other };
  });
  out.push(...[...others.values()].map((one) => ({ b: one })));
  return out.sort(
    (x, y) => Date.parse(either(x).deploy.time ?? "") - Date.parse(either(y).deploy.time ?? ""),
  );
}

/** SLOs by name, those that differ most first. */
export function pairSLOs(a: readonly BacktestSLO[], b: readonly BacktestSLO[]): Pair<BacktestSLO>[] {
  const others = new Map(b.map((one) => [one.name, one]));
  const out: Pair<BacktestSLO>[] = a.map((one) => {
    const other = others.get(one.name);
    others.delete(one.name);
    return { a: one, b: other };
  });
  out.push(...[...others.values()].map((one) => ({ b: one })));
  return out.sort(
    (x, y) =>
      weight(y, b.length > 0) - weight(x, b.length > 0) || either(x).name.localeCompare(either(y).name),
  );
}

function weight(pair: Pair<BacktestSLO>, compared: boolean): number {
  const worst = Math.max(pair.a?.worst_used ?? 0, pair.b?.worst_used ?? 0);
  if (!compared) return worst;
  if (!pair.a || !pair.b) return 1e6;
  const apart =
    Math.abs((pair.a.worst_used ?? 0) - (pair.b.worst_used ?? 0)) + Math.abs(pair.a.alerts - pair.b.alerts);
  return apart > 1e-9 ? 1e3 + apart : worst;
}

/** The alerts that a page tells of: same receiver, one of its names, at its time. */
export function alertsOf(page: BacktestPage, alerts: readonly BacktestAlert[]): BacktestAlert[] {
  const from = Date.parse(page.start);
  const to = endOf(page);
  return alerts.filter(
    (alert) =>
      page.alerts.includes(alert.name) &&
      alert.severity === page.severity &&
      alert.receivers.includes(page.receiver) &&
      Object.entries(page.group).every(([key, value]) => (alert.labels[key] ?? "") === value) &&
      Date.parse(alert.start) <= to &&
      (alert.end ? Date.parse(alert.end) : Number.POSITIVE_INFINITY) >= from,
  );
}

/** SLOs of whose time a notable part nobody can vouch for. */
export function unknownOf(result: BacktestResult): string[] {
  const seconds = (Date.parse(result.end) - Date.parse(result.start)) / 1000;
  const seen = new Map<string, number>();
  for (const set of result.sets)
    for (const one of set.promises)
      if (one.unknown_seconds > 0.05 * seconds)
        seen.set(one.display_name, Math.max(one.unknown_seconds, seen.get(one.display_name) ?? 0));
  return [...seen].map(
    ([name, unknown]) => `${name} has no data for ${formatDuration(unknown)} of ${formatDuration(seconds)}.`,
  );
}
