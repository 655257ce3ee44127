import type { Tone } from "~/components/StateMark";

export function levelTone(level: string): Tone | undefined {
  if (level === "error" || level === "fatal") return "danger";
  if (level === "warn") return "caution";
  return undefined;
}
