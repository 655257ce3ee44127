import type { GateDecision, Verdict } from "~/api/types";
import type { Tone } from "~/components/StateMark";

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

/** What to show of a decision: one that was edited in the database says nothing that may be believed. */
export function shown(decision: GateDecision): { tone: Tone; word: string; summary: string } {
  if (decision.tampered)
    return { tone: "danger", word: "Tampered with", summary: "This decision was tampered with." };
  const { verdict, summary } = decision;
  return { tone: verdictTone[verdict], word: verdictWord[verdict], summary };
}
