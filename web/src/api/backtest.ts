import { queryOptions, useMutation, useQueryClient } from "@tanstack/react-query";
import { ApiError, get, post, remove } from "./client";
import type { BacktestBody, BacktestJob, BacktestSet } from "./types";

/** How often a running job is asked how far it is, ms. */
const askEveryMs = 1000;

export const documentsQuery = queryOptions({
  queryKey: ["backtest-documents"],
  queryFn: ({ signal }) => get<BacktestSet>("/sb/v1/backtest/documents", {}, signal),
  staleTime: 60_000,
});

/** A job until it has ended; one that is no longer remembered is not asked for again. */
export const backtestQuery = (id: string) =>
  queryOptions({
    queryKey: ["backtest", id],
    queryFn: ({ signal }) => get<BacktestJob>(`/sb/v1/backtest/${encodeURIComponent(id)}`, {}, signal),
    enabled: id !== "",
    refetchInterval: (query) => (query.state.data?.state === "running" ? askEveryMs : false),
    retry: (count, error) => !(error instanceof ApiError && error.status === 404) && count < 2,
    staleTime: Number.POSITIVE_INFINITY,
  });

export function useStartBacktest() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (body: BacktestBody) => post<BacktestJob>("/sb/v1/backtest", body),
    onSuccess: (job) => client.setQueryData(["backtest", job.id], job),
  });
}

export function useCancelBacktest(id: string) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: () => remove(`/sb/v1/backtest/${encodeURIComponent(id)}`),
    onSettled: () => client.invalidateQueries({ queryKey: ["backtest", id] }),
  });
}
