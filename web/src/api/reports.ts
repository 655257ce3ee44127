import { keepPreviousData, queryOptions } from "@tanstack/react-query";
import { buildUrl, get } from "./client";
import type { AuditList, Remedy, RemedyList, Report, RulesReview } from "./types";

export interface ReportSearch {
  period?: string | undefined;
  start?: string | undefined;
  end?: string | undefined;
  time_zone?: string | undefined;
  audience?: string | undefined;
  service?: string | undefined;
  as_of?: string | undefined;
}

export const reportQuery = (search: ReportSearch) =>
  queryOptions({
    queryKey: ["report", search],
    queryFn: ({ signal }) => get<Report>("/sb/v1/report", { ...search }, signal),
    placeholderData: keepPreviousData,
    staleTime: 60_000,
  });

/** The same report as a file. */
export function reportUrl(search: ReportSearch, format: "md" | "csv" | "json", download = true): string {
  return buildUrl("/sb/v1/report", { ...search, format, download: download || undefined });
}

export const rulesReviewQuery = (days: number) =>
  queryOptions({
    queryKey: ["rules-review", days],
    queryFn: ({ signal }) => get<RulesReview>("/sb/v1/report/rules", { days }, signal),
    placeholderData: keepPreviousData,
    staleTime: 60_000,
  });

export interface RemedyFilter {
  service?: string | undefined;
  state?: string | undefined;
}

export const remediesQuery = (filter: RemedyFilter, limit = 100) =>
  queryOptions({
    queryKey: ["remedies", filter, limit],
    queryFn: ({ signal }) => get<RemedyList>("/sb/v1/remedies", { ...filter, limit }, signal),
    refetchInterval: 10_000,
    placeholderData: keepPreviousData,
  });

/** What the audit trail has of one remedy. */
export const remedyAuditQuery = (remedy: Remedy) =>
  queryOptions({
    queryKey: ["remedy-audit", remedy.id, remedy.updated],
    queryFn: async ({ signal }) => {
      const end = new Date(Date.parse(remedy.updated) + 60_000).toISOString();
      const answer = await get<AuditList>(
        "/sb/v1/audit",
        { start: remedy.breach, end, actor: "signalbox", limit: 1000 },
        signal,
      );
      return answer.entries.filter((entry) => entry.subject === remedy.id);
    },
  });
