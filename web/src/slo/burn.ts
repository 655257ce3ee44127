import type { Burn, SLOStatus } from "~/api/types";
import type { Tone } from "~/components/StateMark";
import { parseSpan } from "~/time/range";
import type { BurnLimit, Limits } from "./limits";

export function burnLimit(window: string, limits: Limits): BurnLimit | undefined {
  const seconds = parseSpan(window);
  return limits.burns.find((row) => parseSpan(row.window) === seconds);
}

export function burnTone(burn: Burn, limits: Limits): Tone {
  if (burn.coverage < 0.05) return "unknown";
  const limit = burnLimit(burn.window, limits)?.limit;
  if (limit !== undefined && burn.rate >= limit) return limit > 1 ? "danger" : "caution";
  return burn.rate >= 1 ? "caution" : "ok";
}

/** What a bar of a window without a limit is drawn against. */
const unlimited = 6;

/** How far along its bar a burn reaches, 0 to 1; the limit stands at two thirds. */
export function burnShare(burn: Burn, limits: Limits): number {
  const limit = burnLimit(burn.window, limits)?.limit ?? unlimited;
  return Math.min(1, Math.max(0, burn.rate / (limit * 1.5)));
}

export function sortedBurns(slo: SLOStatus): Burn[] {
  return [...slo.burn].sort((a, b) => (parseSpan(a.window) ?? 0) - (parseSpan(b.window) ?? 0));
}

/** Whether the SLO is about time: then its bad events are slow, not failed. */
export function isLatency(slo: SLOStatus): boolean {
  if (/\ble=~?"/.test(slo.queries.good ?? "")) return true;
  return /latency|load.time|slow|faster|within \d/i.test(`${slo.name} ${slo.display_name} ${slo.indicator}`);
}

/** The one route that the SLO is about, if its queries name one. */
export function routeOf(slo: SLOStatus): string | undefined {
  const { total, good, bad } = slo.queries;
  return /\bhttp_route="((?:[^"\\]|\\.)+)"/.exec(`${total ?? ""} ${good ?? ""} ${bad ?? ""}`)?.[1];
}

/** `300ms` or `2s` from the query's bucket, else from the SLO's words. */
export function latencyLimit(slo: SLOStatus): string | undefined {
  const bucket = /\ble=~?"([\d.]+)/.exec(`${slo.queries.good ?? ""} ${slo.queries.error}`);
  if (bucket) {
    const seconds = Number(bucket[1]);
    return seconds < 1 ? `${Math.round(seconds * 1000)}ms` : `${seconds}s`;
  }
  const words = /(\d+(?:\.\d+)?)\s*(ms|s)\b/.exec(
    `${slo.indicator} ${slo.display_name} ${slo.description ?? ""}`,
  );
  return words ? `${words[1]}${words[2]}` : undefined;
}

/** `$window` replaced, so that the query runs as pasted. */
export function withWindow(query: string, window: string): string {
  return query.replaceAll("$window", window);
}

/** The SLO's window as PromQL writes it: a calendar window is as long as it has lasted at `now`, Unix ms. */
export function promWindow(slo: SLOStatus, now: number): string {
  const start = Date.parse(slo.window_start ?? "");
  if (!Number.isFinite(start) || start >= now) return parseSpan(slo.window) ? slo.window : "28d";
  return `${Math.max(60, Math.round((now - start) / 1000))}s`;
}
