import type { Incident, IncidentMean, IncidentTask } from "~/api/types";
import type { Tone } from "~/components/StateMark";
import { formatDuration } from "~/format/duration";
import { plural } from "~/format/number";
import { formatWhen, type Zone } from "~/format/time";

export const statusWord: Record<Incident["status"], string> = {
  open: "Open",
  mitigated: "Mitigated",
  resolved: "Resolved",
  merged: "Merged",
};

export const severities = ["P0", "P1", "P2", "P3"] as const satisfies readonly Incident["severity"][];

export const roles = [
  { key: "commander", word: "Commander" },
  { key: "communications", word: "Communications" },
  { key: "scribe", word: "Scribe" },
] as const satisfies readonly { key: keyof Incident["roles"]; word: string }[];

export const termWord: Record<IncidentTask["term"], string> = {
  immediate: "At once",
  short: "Soon",
  long: "Later",
};

/** The day at whose end an action item is due, UTC: `2026-11-30`. */
export function dueDay(due: string): string {
  return new Date(due).toISOString().slice(0, 10);
}

export function incidentTone({ status, severity }: Pick<Incident, "status" | "severity">): Tone {
  switch (status) {
    case "open":
      return severity === "P0" || severity === "P1" ? "danger" : "caution";
    case "mitigated":
      return "caution";
    case "resolved":
      return "ok";
    default:
      return "unknown";
  }
}

/** A value of the address that is one of some, else nothing. */
export function oneOf<T extends string>(all: readonly T[], text: string | undefined): T | undefined {
  return all.find((one) => one === text);
}

/** Who has it: who leads it, else who acknowledged one of its pages first, else nobody. */
export function whoHas(incident: Incident): string {
  const { commander } = incident.roles;
  if (commander) return `${commander} leads it`;
  const [first] = incident.pages.list
    .filter((page) => page.acked_by && page.acked_at)
    .sort((a, b) => Date.parse(a.acked_at ?? "") - Date.parse(b.acked_at ?? ""));
  return first ? `${first.acked_by} acknowledged it, nobody leads it yet` : "nobody has taken it yet";
}

/** A title as the begin of a sentence: without the full stop that it may have. */
export function titleOf({ title }: Pick<Incident, "title">): string {
  return title.replace(/[.\s]+$/, "");
}

/** From one moment to another in seconds; nothing where one of them is not known. */
export function secondsBetween(from: string | undefined, to: string | number | undefined) {
  if (!from || to === undefined) return undefined;
  const seconds = ((typeof to === "number" ? to : Date.parse(to)) - Date.parse(from)) / 1000;
  return Number.isFinite(seconds) ? Math.max(0, Math.round(seconds)) : undefined;
}

/** How long users felt it, or have felt it: the seconds of what goes on are noise after a minute. */
export function feltFor({ times, status }: Incident, now: number): string {
  const goesOn = status === "open" && !times.mitigated;
  const seconds = secondsBetween(times.started, times.mitigated ?? (goesOn ? now : times.resolved));
  if (seconds === undefined) return "–";
  return formatDuration(goesOn && seconds > 60 ? seconds - (seconds % 60) : seconds);
}

/** Is something going on, and who has it? In a sentence. */
export function listAnswer(live: readonly Incident[], zone: Zone, now: number): string {
  const open = live.filter((one) => one.status === "open");
  // The worst one is named; of equals the newest, which comes first.
  const [worst] = [...(open.length > 0 ? open : live)].sort((a, b) => a.severity.localeCompare(b.severity));
  if (!worst) return "No incident is open.";
  const others = live.length - 1;
  const rest = others > 0 ? ` ${plural(others, "other")} ${others === 1 ? "goes" : "go"} on.` : "";
  return `${incidentAnswer(worst, zone, now)}${rest}`;
}

/** What happened and who has it, in a sentence. */
export function incidentAnswer(incident: Incident, zone: Zone, now: number): string {
  const { times } = incident;
  const at = (time: string) => formatWhen(Date.parse(time), zone, now);
  const title = `${titleOf(incident)} (${incident.severity})`;
  switch (incident.status) {
    case "open":
      return `${title}, open since ${at(times.started)}, ${feltFor(incident, now)}; ${whoHas(incident)}.`;
    case "mitigated":
      return `${title}, mitigated${times.mitigated ? ` at ${at(times.mitigated)}` : ""} after ${feltFor(incident, now)}, not resolved yet; ${whoHas(incident)}.`;
    case "resolved":
      return `${title}, resolved${times.resolved ? ` at ${at(times.resolved)}` : ""}; users felt it for ${feltFor(incident, now)}.`;
    default:
      return `${title} is part of another incident.`;
  }
}

/** A mean with the median and what it is made of, or why there is none. */
export function meanWords(mean: IncidentMean | undefined): { value: string; note: string } {
  if (!mean) return { value: "–", note: "nothing to measure" };
  const { seconds, median_seconds, of } = mean;
  return {
    value: formatDuration(seconds),
    note: `median ${formatDuration(median_seconds)}, of ${of}`,
  };
}
