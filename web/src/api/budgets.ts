import { queryOptions, useMutation, useQueryClient } from "@tanstack/react-query";
import { get, post, remove } from "./client";
import type {
  CanaryRequest,
  CanaryResult,
  Correction,
  DecisionList,
  GateDecision,
  PolicyView,
  Replay,
} from "./types";

/** What this server can do by itself is asked once; a server without it answers 404 or 501. */
export const policiesQuery = queryOptions({
  queryKey: ["gate-policies"],
  queryFn: ({ signal }) => get<PolicyView>("/sb/v1/gate/policies", {}, signal),
  refetchInterval: 30_000,
});

/** A service's newest decisions, for the trace of overrides beside one of them. */
export const serviceDecisionsQuery = (service: string) =>
  queryOptions({
    queryKey: ["decisions", { service }, 20],
    queryFn: ({ signal }) => get<DecisionList>("/sb/v1/gate/decisions", { service, limit: 20 }, signal),
    enabled: service !== "",
  });

export function useReplay() {
  return useMutation({
    mutationFn: (id: string) =>
      post<Replay>(`/sb/v1/gate/decisions/${encodeURIComponent(id)}/replay`, undefined),
  });
}

export function useOverride(id: string) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (body: { actor: string; reason: string }) =>
      post<GateDecision>(`/sb/v1/gate/decisions/${encodeURIComponent(id)}/override`, body),
    onSuccess: () =>
      Promise.all([
        client.invalidateQueries({ queryKey: ["decision", id] }),
        client.invalidateQueries({ queryKey: ["decisions"] }),
      ]),
  });
}

export function useCompare() {
  return useMutation({
    mutationFn: (request: CanaryRequest) => post<CanaryResult>("/sb/v1/gate/canary", request),
  });
}

function sloPath(name: string): string {
  return `/sb/v1/slos/${encodeURIComponent(name)}/corrections`;
}

/** Every correction of an SLO, those outside its window too. */
export const correctionsQuery = (name: string) =>
  queryOptions({
    queryKey: ["slo", name, "corrections"],
    queryFn: ({ signal }) => get<{ corrections: Correction[] }>(sloPath(name), {}, signal),
  });

function useRefreshed(name: string) {
  const client = useQueryClient();
  return () =>
    Promise.all([
      client.invalidateQueries({ queryKey: ["slo", name] }),
      client.invalidateQueries({ queryKey: ["slos"] }),
      client.invalidateQueries({ queryKey: ["slo-history", name] }),
    ]);
}

export type NewCorrection = Pick<Correction, "kind" | "author" | "reason" | "start" | "end">;

export function useCorrect(name: string) {
  const refreshed = useRefreshed(name);
  return useMutation({
    mutationFn: (correction: NewCorrection) => post<Correction>(sloPath(name), correction),
    onSuccess: refreshed,
  });
}

export function useUncorrect(name: string) {
  const refreshed = useRefreshed(name);
  return useMutation({
    mutationFn: ({ id, actor }: { id: string; actor: string }) =>
      remove(
        `${sloPath(name)}/${encodeURIComponent(id)}${actor ? `?actor=${encodeURIComponent(actor)}` : ""}`,
      ),
    onSuccess: refreshed,
  });
}
