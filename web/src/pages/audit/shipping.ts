import type { AuditTarget } from "~/api/types";
import type { Tone } from "~/components/StateMark";
import { formatDuration } from "~/format/duration";
import { formatCount, plural } from "~/format/number";

/** After so long without getting through somebody has to look; the server's status says it then, too. */
const lateAfter = 5 * 60;

/** How it is about one target, the worst first. */
export function targetState(one: AuditTarget): { tone: Tone; word: string } {
  if (one.restarted) return { tone: "danger", word: "Was sent another log" };
  if (one.last_error && one.lag_seconds > lateAfter) return { tone: "danger", word: "Not reached" };
  if (one.refused > 0 || one.missed > 0) return { tone: "caution", word: "Lacks entries" };
  if (one.last_error) return { tone: "caution", word: "Tried again" };
  if (one.waiting > 0) return { tone: "unknown", word: "Being sent" };
  return one.shipped > 0
    ? { tone: "ok", word: "Has everything" }
    : { tone: "unknown", word: "Nothing sent yet" };
}

/** What is behind, for the headline; empty where nothing is. */
export function behindAnswer(targets: readonly AuditTarget[]): string {
  return targets
    .filter((one) => ["danger", "caution"].includes(targetState(one).tone))
    .map((one) => {
      if (one.restarted) return `Receiver ${one.name} had been sent another log.`;
      const parts = [
        one.waiting > 0 || one.last_error
          ? `receiver ${one.name} does not have ${plural(one.waiting, "entry", "entries")}${one.lag_seconds > 0 ? `, the oldest for ${formatDuration(one.lag_seconds)}` : ""}`
          : "",
        one.refused > 0 ? `receiver ${one.name} refused ${formatCount(one.refused)}` : "",
        one.missed > 0 ? `${formatCount(one.missed)} were gone from the log before ${one.name} got them` : "",
      ];
      const text = parts.filter(Boolean).join("; ");
      return `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;
    })
    .join(" ");
}
