import { queryOptions } from "@tanstack/react-query";
import { get } from "./client";
import type { Catalog, CatalogGaps, Runbook, RunbookList } from "./types";

export const catalogQuery = queryOptions({
  queryKey: ["catalog"],
  queryFn: ({ signal }) => get<Catalog>("/sb/v1/catalog", {}, signal),
  refetchInterval: 60_000,
});

export const catalogGapsQuery = queryOptions({
  queryKey: ["catalog-gaps"],
  queryFn: ({ signal }) => get<CatalogGaps>("/sb/v1/catalog/gaps", {}, signal),
  refetchInterval: 60_000,
});

export const runbooksQuery = (alert: string) =>
  queryOptions({
    queryKey: ["runbooks", alert],
    queryFn: ({ signal }) => get<RunbookList>("/sb/v1/runbooks", alert ? { alert } : {}, signal),
    staleTime: 60_000,
  });

export const runbookQuery = (name: string) =>
  queryOptions({
    queryKey: ["runbook", name],
    queryFn: ({ signal }) => get<Runbook>(`/sb/v1/runbooks/${encodeURIComponent(name)}`, {}, signal),
    staleTime: 60_000,
  });
