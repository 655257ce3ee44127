import { queryOptions, useMutation, useQuery } from "@tanstack/react-query";
import { get, knock, post } from "~/api/client";
import type { LoggedOut, LoginMethods, Started } from "~/api/types";
import { leaveFor } from "./returnTo";

export const loginMethodsQuery = queryOptions({
  queryKey: ["login-methods"],
  queryFn: ({ signal }) => get<LoginMethods>("/sb/v1/login-methods", {}, signal),
  staleTime: 60_000,
});

export function useLoginMethods() {
  return useQuery(loginMethodsQuery);
}

/** Proves who somebody is at one of the doors, and goes on to an address. */
export function useKnock<T>(path: string, next: string) {
  return useMutation({
    mutationFn: (proof: T) => knock<Started>(path, proof),
    onSuccess: () => leaveFor(next),
  });
}

export function useLogout() {
  return useMutation({
    mutationFn: () => post<LoggedOut>("/sb/v1/logout", {}),
    // The provider's session ends too, where there is one: else whoever uses this browser next is let in without a password.
    onSuccess: (out) => leaveFor(out.end_session ?? "/login"),
  });
}
