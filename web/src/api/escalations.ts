import { queryOptions, useMutation, useQueryClient } from "@tanstack/react-query";
import { ApiError, get, post } from "./client";
import type { Channels, ChannelTest, Contacts, DrillRequest, DrillSent, Escalation, Policies } from "./types";

export const escalationPoliciesQuery = queryOptions({
  queryKey: ["escalation-policies"],
  queryFn: ({ signal }) => get<Policies>("/sb/v1/oncall/policies", {}, signal),
  refetchInterval: 300_000,
});

/** How people are reached; no addresses are in it. */
export const contactsQuery = queryOptions({
  queryKey: ["oncall-contacts"],
  queryFn: ({ signal }) => get<Contacts>("/sb/v1/oncall/contacts", {}, signal),
  refetchInterval: 60_000,
});

/** How what carries messages to people fares. */
export const channelsQuery = queryOptions({
  queryKey: ["channels"],
  queryFn: ({ signal }) => get<Channels>("/sb/v1/channels", {}, signal),
  refetchInterval: 15_000,
});

/** Sends a drill to an address; the answer comes when the service took it or refused it. */
export function useTestChannel() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: ({ channel, address }: { channel: string; address: string }) =>
      post<ChannelTest>(`/sb/v1/channels/${encodeURIComponent(channel)}/test`, { address }),
    onSettled: () => client.invalidateQueries({ queryKey: ["channels"] }),
  });
}

/** Whom a drill reached; asked for often until it is over. */
export const drillQuery = (id: string) =>
  queryOptions({
    queryKey: ["drill", id],
    queryFn: ({ signal }) => get<Escalation>(`/sb/v1/oncall/drills/${encodeURIComponent(id)}`, {}, signal),
    refetchInterval: ({ state }) => (state.data?.state === "resolved" ? false : 2_000),
  });

export function useSendDrill() {
  return useMutation({
    mutationFn: (drill: DrillRequest) => post<DrillSent>("/sb/v1/oncall/drills", drill),
  });
}

export function useAckDrill() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: ({ id, by }: { id: string; by: string }) =>
      post<Escalation>(`/sb/v1/oncall/drills/${encodeURIComponent(id)}/ack`, { by }),
    onSuccess: (_, { id }) => client.invalidateQueries({ queryKey: ["drill", id] }),
  });
}

/** The process does not run what answers: there is nothing to show. */
export function notServed(error: Error | null): boolean {
  return error instanceof ApiError && error.status === 404;
}
