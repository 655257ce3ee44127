import type { GateDecision, Verdict } from "~/api/types";
import type { Tone } from "~/components/StateMark";
import { isUncompared } from "~/components/TamperedMark";

export const verdictTone: Record<Verdict, Tone> = {
  allow: "ok",
  hold: "caution",
  block: "danger",
  insufficient: "unknown",
};

export const verdictWord: Record<Verdict, string> = {
  allow: "Allowed",
  hold: "Held",
  block: "Blocked",
  insufficient: "Not enough data",
};

/**
 * What to show of a decision: one that was edited in the database says nothing that may be believed, and one that
 * nobody compared is not shown as if it had been.
 */
export function shown(decision: GateDecision): { tone: Tone; word: string; summary: string } {
  const { verdict, summary, tampered } = decision;
  if (isUncompared(tampered))
    return { tone: "unknown", word: `${verdictWord[verdict]}, not compared`, summary };
  if (tampered) return { tone: "danger", word: "Tampered with", summary: "This decision was tampered with." };
  return { tone: verdictTone[verdict], word: verdictWord[verdict], summary };
}
