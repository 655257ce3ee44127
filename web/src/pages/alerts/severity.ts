import type { Tone } from "~/components/StateMark";

/** Whether it wakes somebody: warnings and tickets that went to a channel do not wait for an answer. */
export function isUrgent(severity: string | undefined): boolean {
  return ["critical", "page", "p0", "p1"].includes((severity ?? "").toLowerCase());
}

export function severityTone(severity: string | undefined): Tone {
  if (isUrgent(severity)) return "danger";
  if (severity === "warning") return "caution";
  return "unknown";
}

export function severityWord(severity: string | undefined): string {
  return severity ? severity.charAt(0).toUpperCase() + severity.slice(1) : "No severity";
}
