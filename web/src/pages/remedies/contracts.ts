import type { RemediationListing, RemediationRun } from "~/api/types";
import type { Tone } from "~/components/StateMark";

type State = RemediationRun["state"];

export const runTone: Record<State, Tone> = {
  asked: "unknown",
  declined: "unknown",
  pending: "caution",
  acting: "caution",
  verifying: "caution",
  holding: "caution",
  undoing: "caution",
  suggested: "caution",
  planned: "caution",
  effective: "ok",
  undone: "danger",
  ineffective: "danger",
  failed: "danger",
  halted: "danger",
  refused: "unknown",
  ended: "ok",
};

const runWord: Record<State, string> = {
  asked: "Being judged",
  declined: "Not done",
  pending: "Waits for approval",
  acting: "Being done",
  verifying: "Watching whether it helps",
  holding: "Watching whether it lasts",
  undoing: "Being taken back",
  suggested: "Suggested",
  planned: "Would be done",
  effective: "Helped",
  undone: "Did not help, taken back",
  ineffective: "Did not help",
  failed: "Failed",
  halted: "Stopped by somebody",
  refused: "Refused",
  ended: "Ended by itself",
};

/** What one must know of the remedies before anything else; nothing where all is as usual. */
export function urgent(listing: RemediationListing | undefined): { text: string; tone: Tone } | undefined {
  if (!listing) return undefined;
  if (listing.stopped) return { text: "All remedies are stopped.", tone: "caution" };
  // One whose alert ended as well needs nobody any more.
  const bad = listing.remedies.find(
    ({ last }) => last && runTone[last.state] === "danger" && last.state !== "halted" && !last.times.ended,
  );
  if (bad?.last) return { text: `${bad.name}: ${runWord[bad.last.state].toLowerCase()}.`, tone: "danger" };
  const waiting = listing.remedies.reduce((sum, one) => sum + one.waiting, 0);
  if (waiting === 0) return undefined;
  const text = waiting === 1 ? "1 remedy waits for approval." : `${waiting} remedies wait for approval.`;
  return { text, tone: "caution" };
}

/** What became of a run so far. */
export const wordOf = (run: RemediationRun) =>
  run.state === "pending" && run.approval ? "Approved, judged once more" : runWord[run.state];
