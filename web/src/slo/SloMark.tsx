import type { SLOState } from "~/api/types";
import { StateMark } from "~/components/StateMark";
import { stateTone, stateWord } from "./state";

/** How an SLO stands: one shape, colour and word for a state, wherever it shows. */
export function SloMark({ state }: { state: SLOState | "none" }) {
  if (state === "none") return <StateMark tone="unknown" word="No SLO" />;
  return <StateMark tone={stateTone[state]} word={stateWord[state]} />;
}
