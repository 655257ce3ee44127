import type { Verdict } from "~/api/types";
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
