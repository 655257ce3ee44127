import type { Attempt, Escalation, Rung } from "~/api/types";
import type { Tone } from "~/components/StateMark";

/** The step that begins next; undefined where none does, or where the chain comes to its end. */
export function nextStep({ next, steps }: Escalation): Rung | undefined {
  return next ? steps.find((step) => step.state === "next") : undefined;
}

/** Names of whom a step tells; "" where there is nobody. */
export function namesOf(step: Rung): string {
  return step.who
    .filter((one) => !one.nobody)
    .map((one) => one.person || one.target)
    .join(" and ");
}

/** Whether a message came to somebody. */
export function arrived({ state }: Attempt): boolean {
  return state === "delivered" || state === "summarized";
}

/** Whether any step told somebody. */
export function told(view: Escalation): boolean {
  return view.steps.some((step) => step.attempts.some(arrived));
}

const tones: Record<NonNullable<Escalation["state"]>, Tone> = {
  waiting: "caution",
  noticed: "unknown",
  paging: "caution",
  silenced: "unknown",
  acknowledged: "ok",
  resolved: "ok",
  unreached: "danger",
};

const words: Record<NonNullable<Escalation["state"]>, string> = {
  waiting: "Waiting",
  noticed: "Noticed",
  paging: "Paging",
  silenced: "Silenced",
  acknowledged: "Acknowledged",
  resolved: "Over",
  unreached: "Not reached",
};

/** How it stands, as a shape and a word. */
export function standingOf({ state }: Escalation): { tone: Tone; word: string } | undefined {
  return state && { tone: tones[state], word: words[state] };
}

const attemptTones: Record<Attempt["state"], Tone> = {
  planned: "unknown",
  trying: "caution",
  delivered: "ok",
  failed: "danger",
  cancelled: "unknown",
  summarized: "ok",
};

const attemptWords: Record<Attempt["state"], string> = {
  planned: "Planned",
  trying: "Being sent",
  delivered: "Delivered",
  failed: "Failed",
  cancelled: "Given up",
  summarized: "Told with others",
};

/** What became of a message, as a shape and a word. */
export function outcomeOf({ state }: Attempt): { tone: Tone; word: string } {
  return { tone: attemptTones[state], word: attemptWords[state] };
}
