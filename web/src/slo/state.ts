import type { SLOState, SLOStatus } from "~/api/types";
import type { Tone } from "~/components/StateMark";

/** The colour and shape of a state, the same on every page. Burning is red: an alert of it is active. */
export const stateTone: Record<SLOState, Tone> = {
  ok: "ok",
  burning: "danger",
  exhausted: "danger",
  insufficient: "unknown",
};

export const stateWord: Record<SLOState, string> = {
  ok: "Kept",
  burning: "Burning",
  exhausted: "Budget gone",
  insufficient: "Not enough data",
};

/** The state of several SLOs as one tone: that of the worst. Undefined without any. */
export function worstTone(slos: readonly Pick<SLOStatus, "state">[]): Tone | undefined {
  const tones = slos.map((slo) => stateTone[slo.state]);
  return (["danger", "caution", "unknown", "ok"] as const).find((tone) => tones.includes(tone));
}

/** What is left of the budget, or nothing where it is not known: what cannot be judged is never full. */
export function knownLeft(slo: Pick<SLOStatus, "state" | "budget" | "doubt">): number | undefined {
  // What was bad before data went stale is still spent; nothing else vouches for a figure.
  if (slo.state === "insufficient" && slo.doubt !== "stale") return undefined;
  return slo.budget.left_ratio ?? undefined;
}
