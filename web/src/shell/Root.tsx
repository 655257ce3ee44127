import { Outlet, useMatches, useSearch } from "@tanstack/react-router";
import { askAs } from "~/api/tenant";
import { doors } from "~/auth/returnTo";
import { Shell } from "./Shell";

/** Pages stand in the shell, but for those that are shown to who is not logged in. */
export function Root() {
  // Of the page that is shown: on the way to the login the address is ahead of it, and it still needs its shell.
  const path = useMatches({ select: (matches) => matches.at(-1)?.pathname ?? "/" });
  const { tenant } = useSearch({ strict: false });
  const door = doors.includes(path);
  askAs(door ? "" : tenant); // before anything below asks
  // Made anew for another tenant, so that nothing of the one before stays on the screen.
  return door ? <Outlet /> : <Shell key={tenant ?? ""} />;
}
