import type { Tone } from "~/components/StateMark";

export function severityTone(severity: string | undefined): Tone {
  if (severity === "critical" || severity === "page") return "danger";
  if (severity === "warning") return "caution";
  return "unknown";
}

export function severityWord(severity: string | undefined): string {
  return severity ? severity.charAt(0).toUpperCase() + severity.slice(1) : "No severity";
}
