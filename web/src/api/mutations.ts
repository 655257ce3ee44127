import { useMutation, useQueryClient } from "@tanstack/react-query";
import { post, remove } from "./client";
import type { GateDecision, GateRequest, Matcher, Page } from "./types";

export function useAck() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: ({ id, by }: { id: string; by: string }) =>
      post<Page>(`/sb/v1/pages/${encodeURIComponent(id)}/ack`, { by }),
    onSuccess: (_, { id }) =>
      Promise.all([
        client.invalidateQueries({ queryKey: ["pages"] }),
        client.invalidateQueries({ queryKey: ["escalation", id] }),
        client.invalidateQueries({ queryKey: ["incidents"] }),
      ]),
  });
}

export interface NewSilence {
  matchers: Matcher[];
  startsAt: string;
  endsAt: string;
  createdBy: string;
  comment: string;
}

export function useCreateSilence() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (silence: NewSilence) => post<{ silenceID: string }>("/api/v2/silences", silence),
    onSuccess: () =>
      Promise.all([
        client.invalidateQueries({ queryKey: ["silences"] }),
        client.invalidateQueries({ queryKey: ["am-alerts"] }),
      ]),
  });
}

export function useExpireSilence() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (id: string) => remove(`/api/v2/silence/${encodeURIComponent(id)}`),
    onSuccess: () => client.invalidateQueries({ queryKey: ["silences"] }),
  });
}

export function useAskGate() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (request: GateRequest) => post<GateDecision>("/sb/v1/gate", request),
    onSuccess: () => client.invalidateQueries({ queryKey: ["decisions"] }),
  });
}
