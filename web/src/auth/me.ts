import { queryOptions, useQuery } from "@tanstack/react-query";
import { ApiError, get } from "~/api/client";
import type { Me } from "~/api/types";

/** Whoever asks while authentication is off, or of a server that does not know the question. */
const nobody: Me = { subject: "", name: "", kind: "nobody", groups: [], tenant: "", permissions: [] };

export const meQuery = queryOptions({
  queryKey: ["me"],
  queryFn: async ({ signal }) => {
    try {
      return await get<Me>("/sb/v1/me", {}, signal);
    } catch (cause) {
      if (cause instanceof ApiError && cause.status === 404) return nobody;
      throw cause;
    }
  },
  staleTime: 60_000,
});

/** Who is logged in; undefined where nobody has to be, or while it is not known. */
export function useMe(): Me | undefined {
  const { data } = useQuery(meQuery);
  return data && data.kind !== "nobody" ? data : undefined;
}

/** Whether somebody may do something; the server decides, this only leaves out what it would refuse. */
export function may(me: Me | undefined, permission: string): boolean {
  return !me || me.permissions.some((row) => row.permission === permission && row.allowed);
}

/** How a person is called on the screen. */
export function nameOf(me: Me): string {
  return me.name || me.subject;
}
