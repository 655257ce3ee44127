import type { EscalationLevel, EscalationPolicy, EscalationTarget } from "~/api/types";
import { formatWindow } from "~/format/duration";

/** Whom a step tells, in words. */
export function targetText({ schedule, person, channel, address }: EscalationTarget): string {
  if (schedule) return `on call by ${schedule}`;
  return person || [channel, address].filter(Boolean).join(" ");
}

export function targetsText(targets: readonly EscalationTarget[]): string {
  return targets.map(targetText).join(" and ");
}

const none = (duration: string | undefined) => !duration || /^0m?s$/.test(duration);

/** When a step begins. */
export function afterText(after: string): string {
  return none(after) ? "At once" : `After ${formatWindow(after)}`;
}

/** Whose alerts a policy is for. */
export function forText({ services, match, team, default: rest }: EscalationPolicy): string {
  const parts = [
    services?.length ? `alerts of ${services.join(", ")}` : "",
    match && Object.keys(match).length > 0
      ? `alerts with ${Object.entries(match)
          .map(([name, value]) => `${name}=${value}`)
          .join(", ")}`
      : "",
    team ? `alerts of the team ${team}` : "",
    rest ? "what no other policy is for" : "",
  ].filter(Boolean);
  return parts.length > 0 ? `For ${parts.join("; ")}.` : "For alerts that name it.";
}

/** What comes after the last step. */
export function repeatText({ repeat = 0, repeat_after }: EscalationPolicy): string {
  const wait = formatWindow(none(repeat_after) ? "10m" : (repeat_after ?? ""));
  if (repeat === 0) return `Ends ${wait} after the last step.`;
  return `Begins anew ${wait} after the last step, ${repeat === 1 ? "once" : `${repeat} times`}.`;
}

/** When a level pages. */
export function pagesText({ page_after }: EscalationLevel): string {
  if (page_after === undefined) return "nobody";
  return none(page_after) ? "at once" : `after ${formatWindow(page_after)}, unless acknowledged`;
}
