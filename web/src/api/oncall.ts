import { queryOptions, useMutation, useQueryClient } from "@tanstack/react-query";
import { get, post } from "./client";
import type {
  Coverage,
  Escalation,
  Fairness,
  HeartbeatList,
  OnCall,
  ShiftList,
  Swap,
  SwapAnswer,
  SwapList,
  SwapRequest,
} from "./types";

export const onCallQuery = queryOptions({
  queryKey: ["oncall"],
  queryFn: ({ signal }) => get<OnCall>("/sb/v1/oncall", {}, signal),
  refetchInterval: 60_000,
});

export const coverageQuery = (days: number) =>
  queryOptions({
    queryKey: ["oncall-coverage", days],
    queryFn: ({ signal }) => get<Coverage>("/sb/v1/oncall/coverage", { days }, signal),
    refetchInterval: 300_000,
  });

/** How turns were shared in the last days. */
export const fairnessQuery = (days: number) =>
  queryOptions({
    queryKey: ["oncall-fairness", days],
    queryFn: ({ signal }) => get<Fairness>("/sb/v1/oncall/fairness", { days }, signal),
    refetchInterval: 300_000,
  });

/** Who is on call by one schedule from now on, and of which span of time (ms) that is told. */
export const shiftsQuery = (schedule: string, days: number) =>
  queryOptions({
    queryKey: ["oncall-shifts", schedule, days],
    queryFn: async ({ signal }) => {
      const from = Date.now();
      const path = `/sb/v1/oncall/schedules/${encodeURIComponent(schedule)}/shifts`;
      const start = new Date(from).toISOString();
      const { shifts } = await get<ShiftList>(path, { start, days }, signal);
      return { shifts, from, to: from + days * 86_400_000 };
    },
    refetchInterval: 300_000,
  });

/** Whom a page went to, step by step; asked for often until it is over. */
export const pageEscalationQuery = (page: string) =>
  queryOptions({
    queryKey: ["escalation", page],
    queryFn: ({ signal }) =>
      get<Escalation>(`/sb/v1/pages/${encodeURIComponent(page)}/escalation`, {}, signal),
    refetchInterval: ({ state }) => (state.data?.state === "resolved" ? 60_000 : 5_000),
  });

export const swapsQuery = queryOptions({
  queryKey: ["oncall-swaps"],
  queryFn: ({ signal }) => get<SwapList>("/sb/v1/oncall/swaps", {}, signal),
  refetchInterval: 60_000,
});

/** What may have changed with a swap: who is on call, and whether anybody is. */
function useSwapChange<T>(change: (what: T) => Promise<Swap>) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: change,
    onSuccess: () =>
      Promise.all(
        ["oncall-swaps", "oncall", "oncall-shifts", "oncall-coverage"].map((key) =>
          client.invalidateQueries({ queryKey: [key] }),
        ),
      ),
  });
}

export const useProposeSwap = () =>
  useSwapChange((request: SwapRequest) => post<Swap>("/sb/v1/oncall/swaps", request));

export const useAnswerSwap = () =>
  useSwapChange(({ id, ...answer }: SwapAnswer & { id: string }) =>
    post<Swap>(`/sb/v1/oncall/swaps/${encodeURIComponent(id)}/answer`, answer),
  );

export const heartbeatsQuery = queryOptions({
  queryKey: ["heartbeats"],
  queryFn: ({ signal }) => get<HeartbeatList>("/sb/v1/heartbeats", {}, signal),
  refetchInterval: 30_000,
});
