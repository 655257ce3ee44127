import type { Remedy } from "~/api/types";
import type { Tone } from "~/components/StateMark";
import { plural } from "~/format/number";

type State = Remedy["state"];

export const stateTone: Record<State, Tone> = {
  watching: "caution",
  declined: "unknown",
  planned: "caution",
  executing: "caution",
  verifying: "caution",
  recovered: "ok",
  unhelpful: "danger",
  failed: "danger",
  ended: "ok",
};

export const stateWord: Record<State, string> = {
  watching: "Watching",
  declined: "Declined",
  planned: "Would be rolled back",
  executing: "Rolling back",
  verifying: "Watching whether it helps",
  recovered: "Recovered",
  unhelpful: "Did not help",
  failed: "Could not be done",
  ended: "Ended by itself",
};

/** Those that may still change. */
export function isOpen({ state }: Remedy): boolean {
  return ["watching", "executing", "verifying"].includes(state);
}

/** Whether a rollback was ordered, or in a dry run would have been. */
export function wasOrdered(remedy: Remedy): boolean {
  return remedy.executed !== undefined || remedy.state === "planned";
}

/** What was done, in a sentence: the newest that still goes on, else the count. */
export function answerOf(remedies: readonly Remedy[]): string {
  if (remedies.length === 0) return "No breach has lasted long enough to think of a rollback.";
  const live = remedies.find(isOpen);
  if (live) return `${live.service}: ${live.reason}`;
  const ordered = remedies.filter(wasOrdered);
  const done = ordered.filter((one) => !one.dry_run);
  const dry = ordered.length - done.length;
  const recovered = done.filter((one) => one.state === "recovered").length;
  const breaches = plural(remedies.length, "breach", "breaches");
  const parts = [
    done.length > 0 ? `${plural(done.length, "rollback")} done, ${recovered} of them verified` : "",
    dry > 0 ? `${plural(dry, "rollback")} would have been done (dry run)` : "",
  ].filter(Boolean);
  if (parts.length === 0) return `Nothing was rolled back in ${breaches}.`;
  return `Of ${breaches}: ${parts.join("; ")}.`;
}

/** Whether the burn fell afterwards, in words. */
export function verifiedWords(remedy: Remedy): string {
  switch (remedy.state) {
    case "recovered":
      return "yes: the burn fell";
    case "unhelpful":
      return "no: the burn did not fall";
    case "verifying":
      return "not yet";
    case "planned":
      return "nothing to verify: a dry run";
    case "failed":
      return "nothing to verify: it was not done";
    default:
      return "nothing was done";
  }
}
