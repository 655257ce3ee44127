import { keepPreviousData, queryOptions, useMutation, useQueryClient } from "@tanstack/react-query";
import { get, post } from "./client";
import type { RemediationListing, RemediationRuns } from "./types";

/** What is first in the keys of everything that is asked about remedies: a change asks all of it anew. */
const key = "remediation";

export const remediationPath = "/sb/v1/remediation";

/** Remedies in force, and how they are. */
export const remediationQuery = queryOptions({
  queryKey: [key],
  queryFn: ({ signal }) => get<RemediationListing>(remediationPath, {}, signal),
  refetchInterval: 10_000,
});

/** What remedies did, would do and did not do, the newest first. */
export const remediationRunsQuery = queryOptions({
  queryKey: [key, "runs"],
  queryFn: ({ signal }) => get<RemediationRuns>(`${remediationPath}/runs`, { limit: 50 }, signal),
  refetchInterval: 10_000,
  placeholderData: keepPreviousData,
});

/** What a person asks for, by the part of the address that it is sent to. */
export interface RemediationChange {
  part: string;
  body: { by: string; plan?: string; reason?: string; remedy?: string };
}

export function useRemediationChange() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: ({ part, body }: RemediationChange) => post<unknown>(`${remediationPath}${part}`, body),
    onSuccess: () => client.invalidateQueries({ queryKey: [key] }),
  });
}
