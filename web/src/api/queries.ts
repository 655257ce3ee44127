import { keepPreviousData, queryOptions, useQuery } from "@tanstack/react-query";
import type { ResolvedRange } from "~/time/range";
import { get, prom } from "./client";
import type {
  AmAlert,
  CauseList,
  DecisionList,
  DeployList,
  Explanation,
  FieldList,
  GateDecision,
  Histogram,
  LogList,
  PageList,
  PromData,
  PromExemplarSeries,
  PromRuleGroup,
  ServiceDetail,
  ServiceList,
  Silence,
  SLOHistory,
  SLOList,
  SLOStatus,
  Status,
  TraceDetail,
  TraceList,
  ValueList,
} from "./types";

/** How often pages that show the present ask again, ms. */
const presentEveryMs = 10_000;

function span(range: ResolvedRange) {
  return { start: new Date(range.from).toISOString(), end: new Date(range.to).toISOString() };
}

const keep = { placeholderData: keepPreviousData } as const;

export const statusQuery = queryOptions({
  queryKey: ["status"],
  queryFn: ({ signal }) => get<Status>("/sb/v1/status", {}, signal),
  refetchInterval: 30_000,
});

export const slosQuery = queryOptions({
  queryKey: ["slos"],
  queryFn: ({ signal }) => get<SLOList>("/sb/v1/slos", {}, signal),
  refetchInterval: presentEveryMs,
});

/** What caused what burns now; symptoms are folded under their cause. */
export const causesQuery = queryOptions({
  queryKey: ["causes"],
  queryFn: ({ signal }) => get<CauseList>("/sb/v1/causes", {}, signal),
  refetchInterval: presentEveryMs,
});

export const sloQuery = (name: string) =>
  queryOptions({
    queryKey: ["slo", name],
    queryFn: ({ signal }) => get<SLOStatus>(`/sb/v1/slos/${encodeURIComponent(name)}`, {}, signal),
    refetchInterval: presentEveryMs,
  });

export const sloHistoryQuery = (name: string, range: ResolvedRange, stepSeconds: number) =>
  queryOptions({
    queryKey: ["slo-history", name, range, stepSeconds],
    queryFn: ({ signal }) =>
      get<SLOHistory>(
        `/sb/v1/slos/${encodeURIComponent(name)}/history`,
        { ...span(range), step: `${stepSeconds}s` },
        signal,
      ),
    ...keep,
  });

export const servicesQuery = (range: ResolvedRange) =>
  queryOptions({
    queryKey: ["services", range],
    queryFn: ({ signal }) => get<ServiceList>("/sb/v1/services", span(range), signal),
    ...keep,
  });

export const serviceQuery = (name: string, range: ResolvedRange) =>
  queryOptions<ServiceDetail>({
    queryKey: ["service", name, range],
    queryFn: ({ signal }) =>
      get<ServiceDetail>(`/sb/v1/services/${encodeURIComponent(name)}`, span(range), signal),
    placeholderData: (old) => (old?.service === name ? old : undefined),
  });

export const deploysQuery = (range: ResolvedRange, service?: string, limit = 100) =>
  queryOptions({
    queryKey: ["deploys", range, service, limit],
    queryFn: ({ signal }) => get<DeployList>("/sb/v1/deploys", { ...span(range), service, limit }, signal),
    ...keep,
  });

export const logsQuery = (
  q: string,
  range: ResolvedRange,
  limit: number,
  order: "newest" | "oldest" = "newest",
) =>
  queryOptions({
    queryKey: ["logs", q, range, limit, order],
    queryFn: ({ signal }) => get<LogList>("/sb/v1/logs", { q, ...span(range), limit, order }, signal),
    ...keep,
  });

export type Signal = "logs" | "traces";

export const histogramQuery = (
  kind: Signal,
  q: string,
  range: ResolvedRange,
  stepSeconds: number,
  field: string,
) =>
  queryOptions({
    queryKey: ["histogram", kind, q, range, stepSeconds, field],
    queryFn: ({ signal }) =>
      get<Histogram>(
        `/sb/v1/${kind}/histogram`,
        { q, ...span(range), step: `${stepSeconds}s`, field },
        signal,
      ),
    ...keep,
  });

export const fieldsQuery = (kind: Signal, q: string, range: ResolvedRange) =>
  queryOptions({
    queryKey: ["fields", kind, q, range],
    queryFn: ({ signal }) => get<FieldList>(`/sb/v1/${kind}/fields`, { q, ...span(range) }, signal),
    ...keep,
  });

export const valuesQuery = (kind: Signal, field: string, q: string, range: ResolvedRange, limit = 10) =>
  queryOptions({
    queryKey: ["values", kind, field, q, range, limit],
    queryFn: ({ signal }) =>
      get<ValueList>(`/sb/v1/${kind}/values`, { field, q, ...span(range), limit }, signal),
    ...keep,
  });

export const tracesQuery = (q: string, range: ResolvedRange, limit: number, order: "newest" | "slowest") =>
  queryOptions({
    queryKey: ["traces", q, range, limit, order],
    queryFn: ({ signal }) => get<TraceList>("/sb/v1/traces", { q, ...span(range), limit, order }, signal),
    ...keep,
  });

export const traceQuery = (id: string) =>
  queryOptions({
    queryKey: ["trace", id],
    queryFn: ({ signal }) => get<TraceDetail>(`/sb/v1/traces/${encodeURIComponent(id)}`, {}, signal),
    staleTime: 30_000,
  });

export const pagesQuery = queryOptions({
  queryKey: ["pages"],
  queryFn: ({ signal }) => get<PageList>("/sb/v1/pages", { limit: 100 }, signal),
  refetchInterval: presentEveryMs,
});

export const explainQuery = (alert: string) =>
  queryOptions({
    queryKey: ["explain", alert],
    queryFn: ({ signal }) => get<Explanation>(`/sb/v1/explain/${encodeURIComponent(alert)}`, {}, signal),
    refetchInterval: presentEveryMs,
  });

export const activeAlertsQuery = queryOptions({
  queryKey: ["am-alerts"],
  queryFn: ({ signal }) => get<AmAlert[]>("/api/v2/alerts", {}, signal),
  refetchInterval: presentEveryMs,
});

export const silencesQuery = queryOptions({
  queryKey: ["silences"],
  queryFn: ({ signal }) => get<Silence[]>("/api/v2/silences", {}, signal),
  refetchInterval: presentEveryMs,
});

export const rulesQuery = queryOptions({
  queryKey: ["rules"],
  queryFn: async ({ signal }) =>
    (await get<{ data: { groups: PromRuleGroup[] | null } }>("/api/v1/rules", {}, signal)).data.groups ?? [],
  refetchInterval: 3 * presentEveryMs,
});

export interface DecisionFilter {
  service?: string | undefined;
  verdict?: string | undefined;
}

export const decisionsQuery = (filter: DecisionFilter, limit = 50) =>
  queryOptions({
    queryKey: ["decisions", filter, limit],
    queryFn: ({ signal }) =>
      get<DecisionList>(
        "/sb/v1/gate/decisions",
        { service: filter.service, verdict: filter.verdict, limit },
        signal,
      ),
    refetchInterval: presentEveryMs,
    ...keep,
  });

export const decisionQuery = (id: string) =>
  queryOptions({
    queryKey: ["decision", id],
    queryFn: ({ signal }) => get<GateDecision>(`/sb/v1/gate/decisions/${encodeURIComponent(id)}`, {}, signal),
  });

export const rangeQuery = (expr: string, range: ResolvedRange, stepSeconds: number) =>
  queryOptions({
    queryKey: ["query_range", expr, range, stepSeconds],
    queryFn: ({ signal }) =>
      prom<PromData>(
        "/api/v1/query_range",
        { query: expr, start: range.from / 1000, end: range.to / 1000, step: stepSeconds },
        signal,
      ),
    enabled: expr.trim() !== "",
    ...keep,
  });

export const instantQuery = (expr: string, at: number) =>
  queryOptions({
    queryKey: ["query", expr, at],
    queryFn: ({ signal }) => prom<PromData>("/api/v1/query", { query: expr, time: at / 1000 }, signal),
    enabled: expr.trim() !== "",
    ...keep,
  });

export const exemplarsQuery = (expr: string, range: ResolvedRange) =>
  queryOptions({
    queryKey: ["exemplars", expr, range],
    queryFn: async ({ signal }) =>
      (
        await prom<PromExemplarSeries[] | null>(
          "/api/v1/query_exemplars",
          { query: expr, start: range.from / 1000, end: range.to / 1000 },
          signal,
        )
      ).data ?? [],
    enabled: expr.trim() !== "",
    ...keep,
  });

/** The names of all services that any list knows, for form fields. */
export function useServiceNames(range: ResolvedRange): string[] {
  const services = useQuery(servicesQuery(range));
  const slos = useQuery(slosQuery);
  const names = new Set([
    ...(services.data?.services ?? []).map((row) => row.service),
    ...(slos.data?.slos ?? []).map((slo) => slo.service),
  ]);
  return [...names].filter(Boolean).sort();
}
