/** Everything a URL of this application may hold after the question mark. Values are text, as typed. */
export interface AppSearch {
  // The shared time range.
  last?: string | undefined;
  from?: string | undefined;
  to?: string | undefined;
  tz?: "utc" | undefined;
  live?: "1" | undefined;
  // Whose data the pages are about; several with | between.
  tenant?: string | undefined;
  // Explore.
  q?: string | undefined;
  order?: string | undefined;
  view?: string | undefined;
  // A run of a remedy.
  run?: string | undefined;
  expr?: string[] | undefined;
  fields?: string | undefined;
  // Alerts, gate, trace.
  tab?: string | undefined;
  open?: string | undefined;
  service?: string | undefined;
  environment?: string | undefined;
  version?: string | undefined;
  verdict?: string | undefined;
  matchers?: string | undefined;
  span?: string | undefined;
  baseline?: string | undefined;
  canary?: string | undefined;
  slo?: string | undefined;
  target?: string | undefined;
  window?: string | undefined;
  // Backtest: its job, its documents, its span and step.
  job?: string | undefined;
  docs?: string | undefined;
  start?: string | undefined;
  end?: string | undefined;
  step?: string | undefined;
  // Reports.
  period?: string | undefined;
  audience?: string | undefined;
  zone?: string | undefined;
  as_of?: string | undefined;
  // Audit search, access review.
  actor?: string | undefined;
  action?: string | undefined;
  subject?: string | undefined;
  text?: string | undefined;
  before?: string | undefined;
  kind?: string | undefined;
  // Incidents.
  status?: string | undefined;
  severity?: string | undefined;
  // Login: the page to go on to.
  return?: string | undefined;
  // Remedies.
  state?: string | undefined;
}

/** The keys that every link keeps. */
export const sharedKeys = ["last", "from", "to", "tz", "live", "tenant"] as const;

const listKeys = new Set(["expr"]);

/** Plain query strings: no JSON quoting, so that a person can write one by hand. */
export function parseSearch(text: string): AppSearch {
  const out: Record<string, string | string[]> = {};
  for (const [key, value] of new URLSearchParams(text)) {
    if (listKeys.has(key)) out[key] = [...((out[key] as string[] | undefined) ?? []), value];
    else out[key] = value;
  }
  return out as AppSearch;
}

export function stringifySearch(search: Record<string, unknown>): string {
  const params = new URLSearchParams();
  for (const [key, value] of Object.entries(search)) {
    if (value === undefined || value === null || value === "") continue;
    if (Array.isArray(value)) for (const item of value) params.append(key, String(item));
    else params.set(key, String(value));
  }
  const text = params.toString();
  return text ? `?${text.replace(/%3A/g, ":").replace(/%2F/g, "/").replace(/%7C/g, "|")}` : "";
}
