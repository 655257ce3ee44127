import { doors } from "~/auth/returnTo";
import type { router } from "~/router";

/** Asks who is there, and comes back to the page afterwards. */
export function toLogin(to: Pick<typeof router, "latestLocation" | "navigate">) {
  const at = to.latestLocation;
  if (doors.includes(at.pathname)) return;
  void to.navigate({ to: "/login", search: { return: at.href }, replace: true });
}
