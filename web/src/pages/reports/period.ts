import type { ReportSearch } from "~/api/reports";

export const periods = [
  { value: "this-month", label: "This month" },
  { value: "last-month", label: "Last month" },
  { value: "last-28d", label: "Last 28 d" },
  { value: "custom", label: "Custom" },
] as const;

export const defaultPeriod = "this-month";

/** What the page's address says; `custom` has two dates. */
export interface PeriodSearch {
  period?: string | undefined;
  start?: string | undefined;
  end?: string | undefined;
  zone?: string | undefined;
  audience?: string | undefined;
  service?: string | undefined;
  as_of?: string | undefined;
}

/** The API's parameters; a custom period without both dates is not asked for. */
export function toRequest(search: PeriodSearch): ReportSearch | undefined {
  const rest: ReportSearch = {
    time_zone: search.zone,
    audience: search.audience === "internal" ? "internal" : undefined,
    service: search.service,
    as_of: search.as_of,
  };
  if (search.period === "custom")
    return search.start && search.end
      ? { ...rest, start: search.start, end: dayAfter(search.end) }
      : undefined;
  return { ...rest, period: search.period ?? defaultPeriod };
}

/** The last day counts whole, and the API's end is exclusive. */
export function dayAfter(date: string): string {
  const day = new Date(`${date}T00:00:00Z`);
  if (Number.isNaN(day.getTime())) return date;
  day.setUTCDate(day.getUTCDate() + 1);
  return day.toISOString().slice(0, 10);
}

/** The IANA names this browser knows, its own first. */
export function zones(): string[] {
  const own = Intl.DateTimeFormat().resolvedOptions().timeZone;
  const all = typeof Intl.supportedValuesOf === "function" ? Intl.supportedValuesOf("timeZone") : [];
  return [...new Set(["UTC", own, ...all].filter(Boolean))];
}
