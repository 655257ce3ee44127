import { Outlet, useLocation } from "@tanstack/react-router";
import { doors } from "~/auth/returnTo";
import { Shell } from "./Shell";

/** Pages stand in the shell, but for those that are shown to who is not logged in. */
export function Root() {
  const path = useLocation({ select: (location) => location.pathname });
  return doors.includes(path) ? <Outlet /> : <Shell />;
}
