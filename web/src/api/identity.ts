import { queryOptions, useMutation, useQueryClient } from "@tanstack/react-query";
import { call, get, type Params } from "./client";
import type {
  AccessReview,
  AuditList,
  AuditTargets,
  AuditVerified,
  Roles,
  Sessions,
  Tokens,
  Users,
} from "./types";

export const rolesQuery = queryOptions({
  queryKey: ["identity", "roles"],
  queryFn: ({ signal }) => get<Roles>("/sb/v1/roles", {}, signal),
  staleTime: 60_000,
});

const base = (all: boolean) => (all ? "/sb/v1/admin" : "/sb/v1");

/** One's own tokens, or everybody's. */
export const tokensQuery = (all: boolean) =>
  queryOptions({
    queryKey: ["identity", "tokens", all],
    queryFn: ({ signal }) => get<Tokens>(`${base(all)}/tokens`, {}, signal),
  });

/** Where one is logged in, or everybody. */
export const sessionsQuery = (all: boolean) =>
  queryOptions({
    queryKey: ["identity", "sessions", all],
    queryFn: ({ signal }) => get<Sessions>(`${base(all)}/sessions`, {}, signal),
  });

export const usersQuery = queryOptions({
  queryKey: ["identity", "users"],
  queryFn: ({ signal }) => get<Users>("/sb/v1/users", {}, signal),
});

export const auditQuery = (params: Params) =>
  queryOptions({
    queryKey: ["audit-search", params],
    queryFn: ({ signal }) => get<AuditList>("/sb/v1/audit", params, signal),
  });

export const auditVerifyQuery = queryOptions({
  queryKey: ["audit-verify"],
  queryFn: ({ signal }) => get<AuditVerified>("/sb/v1/audit/verify", {}, signal),
  staleTime: 60_000,
});

/** Where the audit log is shipped to; how far that is changes by itself. */
export const auditTargetsQuery = queryOptions({
  queryKey: ["audit-targets"],
  queryFn: ({ signal }) => get<AuditTargets>("/sb/v1/audit/targets", {}, signal),
  refetchInterval: 10_000,
});

/** Who may what, of a quarter or, without one, of the last 90 days. */
export const reviewQuery = (quarter: string | undefined) =>
  queryOptions({
    queryKey: ["access-review", quarter],
    queryFn: ({ signal }) => get<AccessReview>("/sb/v1/audit/review", { quarter }, signal),
    staleTime: 60_000,
  });

interface Change {
  method: "POST" | "PATCH" | "DELETE";
  /** Below /sb/v1. */
  path: string;
  body?: unknown;
}

/** A change of users, tokens or sessions; the lists are read again. */
export function useIdentityChange<T = unknown>() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: ({ method, path, body }: Change) => call<T>(method, `/sb/v1${path}`, body),
    onSuccess: () => client.invalidateQueries({ queryKey: ["identity"] }),
  });
}
