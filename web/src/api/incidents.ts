import { keepPreviousData, queryOptions, useMutation, useQueryClient } from "@tanstack/react-query";
import { call, get, post } from "./client";
import type {
  Incident,
  IncidentDetail,
  IncidentEdit,
  IncidentList,
  IncidentLookRequest,
  IncidentMergeRequest,
  IncidentNoteRequest,
  IncidentOrder,
  IncidentOverdueList,
  IncidentPeriods,
  IncidentPostmortem,
  IncidentPostmortemRequest,
  IncidentSplitRequest,
  IncidentStatusRequest,
  IncidentTaskRequest,
  IncidentTimeline,
} from "./types";

/** What is first in the keys of everything that is asked about incidents: a change asks all of it anew. */
const key = "incidents";

export interface IncidentFilter {
  status?: Incident["status"] | undefined;
  severity?: Incident["severity"] | undefined;
  service?: string | undefined;
  q?: string | undefined;
}

export const listPath = "/sb/v1/incidents";

export function incidentPath(id: string, part = ""): string {
  return `${listPath}/${encodeURIComponent(id)}${part}`;
}

/** A page of incidents, the newest first. */
export const incidentsQuery = (filter: IncidentFilter, before?: string) =>
  queryOptions({
    queryKey: [key, "list", filter, before],
    queryFn: ({ signal }) => get<IncidentList>(listPath, { ...filter, before, limit: 50 }, signal),
    refetchInterval: 10_000,
    placeholderData: keepPreviousData,
  });

/** Those that go on, open ones first, each the newest first; as many as the server keeps live at most. */
export const liveIncidentsQuery = (filter: Omit<IncidentFilter, "status">) =>
  queryOptions({
    queryKey: [key, "live", filter],
    queryFn: async ({ signal }) => {
      const [open, mitigated] = await Promise.all(
        (["open", "mitigated"] as const).map((status) =>
          get<IncidentList>(listPath, { ...filter, status, limit: 500 }, signal),
        ),
      );
      return [...(open?.incidents ?? []), ...(mitigated?.incidents ?? [])];
    },
    refetchInterval: 10_000,
    placeholderData: keepPreviousData,
  });

export const incidentQuery = (id: string) =>
  queryOptions({
    queryKey: [key, "one", id],
    queryFn: ({ signal }) => get<IncidentDetail>(incidentPath(id), {}, signal),
    refetchInterval: 10_000,
  });

export const incidentTimelineQuery = (id: string) =>
  queryOptions({
    queryKey: [key, "timeline", id],
    queryFn: ({ signal }) => get<IncidentTimeline>(incidentPath(id, "/timeline"), {}, signal),
    refetchInterval: 15_000,
  });

/** The draft; asked for once, so that nothing changes under who writes. */
export const incidentPostmortemQuery = (id: string) =>
  queryOptions({
    queryKey: [key, "postmortem", id],
    queryFn: ({ signal }) => get<IncidentPostmortem>(incidentPath(id, "/postmortem"), {}, signal),
    refetchOnWindowFocus: false,
  });

export const overdueQuery = queryOptions({
  queryKey: [key, "overdue"],
  queryFn: ({ signal }) => get<IncidentOverdueList>(`${listPath}/overdue`, {}, signal),
  refetchInterval: 60_000,
});

/** How quickly incidents were noticed, taken and ended: of the last days, and of as many before. */
export const incidentFiguresQuery = (days: number) =>
  queryOptions({
    queryKey: [key, "figures", days],
    queryFn: ({ signal }) => get<IncidentPeriods>(`${listPath}/figures`, { days, periods: 2 }, signal),
    refetchInterval: 60_000,
  });

export function useOpenIncident() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (order: IncidentOrder) => post<Incident>(listPath, order),
    onSuccess: () => client.invalidateQueries({ queryKey: [key] }),
  });
}

/** What is changed of one incident, by the part of its address that it is sent to; its own for an edit. */
export type IncidentChange =
  | { part: "/notes"; body: IncidentNoteRequest }
  | { part: "/status"; body: IncidentStatusRequest }
  | { part: "/actions"; body: IncidentTaskRequest }
  | { part: "/postmortem"; body: IncidentPostmortemRequest }
  | { part: "/look"; body: IncidentLookRequest }
  | { part: "/merge"; body: IncidentMergeRequest }
  | { part: "/split"; body: IncidentSplitRequest }
  | { part: ""; body: IncidentEdit };

export function useIncidentChange(id: string) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: ({ part, body }: IncidentChange) =>
      call<Incident>(part === "" ? "PATCH" : "POST", incidentPath(id, part), body),
    onSuccess: () => client.invalidateQueries({ queryKey: [key] }),
  });
}
