/**
 * The API's shapes as the pages use them. Names and meanings are those of openapi.json;
 * schema.test-d.ts style checks are in types.check.ts.
 */

export type SLOState = "ok" | "burning" | "exhausted" | "insufficient";

export interface Budget {
  allowed: number;
  bad: number;
  total: number;
  used_ratio: number;
  left_ratio: number;
  minutes: number;
  sli: number;
  coverage: number;
  reason?: string;
}

export interface Burn {
  window: string;
  rate: number;
  events: number;
  coverage: number;
}

export interface SLOStatus {
  name: string;
  display_name: string;
  service: string;
  description?: string;
  labels?: Record<string, string>;
  objective: number;
  window: string;
  method: "occurrences" | "timeslices";
  indicator: string;
  queries: { good?: string; total?: string; bad?: string; error: string };
  budget: Budget;
  burn: Burn[] | null;
  state: SLOState;
  reason: string;
  action: string;
  since?: string;
  exhausted_in_seconds?: number;
  alerts?: string[];
  time: string;
}

export interface SLOList {
  slos: SLOStatus[] | null;
  summary: string;
  time: string;
}

export interface SLOHistoryPoint {
  time: string;
  left_ratio: number | null;
  burn_1h: number | null;
  error_ratio: number | null;
}

export interface SLOHistory {
  name: string;
  points: SLOHistoryPoint[] | null;
}

export interface Deploy {
  id?: string;
  time: string;
  service: string;
  environment?: string;
  region?: string;
  version: string;
  kind?: "deploy" | "rollback" | "config" | "remediation";
  status?: "started" | "succeeded" | "failed";
  actor?: string;
  link?: string;
  message?: string;
  labels?: Record<string, string>;
}

export interface Edge {
  client: string;
  server: string;
  kind: "call" | "queue";
  calls: number;
  errors: number;
  mean_seconds: number;
}

export interface ServiceRow {
  service: string;
  rate: number | null;
  error_ratio: number | null;
  p95_seconds: number | null;
  slo_state: SLOState | "";
  versions: string[] | null;
  last_deploy: Deploy | null;
}

export interface Breakdown {
  value: string;
  rate: number | null;
  error_ratio: number | null;
  p95_seconds: number | null;
}

export interface ServiceDetail {
  service: string;
  summary: string;
  rate: number | null;
  error_ratio: number | null;
  p50_seconds: number | null;
  p95_seconds: number | null;
  p99_seconds: number | null;
  versions: Breakdown[] | null;
  routes: Breakdown[] | null;
  regions: Breakdown[] | null;
  depends_on: Edge[] | null;
  used_by: Edge[] | null;
  slos: SLOStatus[] | null;
  deploys: Deploy[] | null;
  queries: Record<string, string>;
}

export type Json = string | number | boolean | null | Json[] | { [key: string]: Json };

export interface LogRecord {
  timestamp: string;
  level: string;
  service: string;
  namespace?: string;
  env: string;
  region: string;
  version?: string;
  instance?: string;
  tenant: string;
  trace_id: string;
  span_id: string;
  request_id: string;
  message: string;
  attributes?: Record<string, Json>;
  resource?: Record<string, Json>;
}

export interface LogPage {
  logs: LogRecord[] | null;
  truncated: boolean;
  took_ms: number;
}

export interface Histogram {
  start: string;
  step_seconds: number;
  series: { value: string; counts: number[] }[] | null;
  took_ms: number;
}

export interface FieldValue {
  value: string;
  count: number;
}

export interface TraceRow {
  trace_id: string;
  root_service: string;
  root_name: string;
  start: string;
  start_unix_nano: string | number;
  duration_ns: number;
  spans: number;
  errors: number;
  services: { service: string; spans: number; errors: number }[] | null;
}

export interface TracePage {
  traces: TraceRow[] | null;
  truncated: boolean;
  took_ms: number;
}

export interface SpanEvent {
  time_unix_nano: number | string;
  name: string;
  attributes?: Record<string, Json>;
}

export interface Span {
  trace_id: string;
  span_id: string;
  parent_span_id: string;
  name: string;
  kind: string;
  start: string;
  start_unix_nano: string;
  duration_ns: number;
  status: "unset" | "ok" | "error";
  status_message?: string;
  scope?: string;
  service: string;
  resource: {
    service?: string;
    namespace?: string;
    env?: string;
    region?: string;
    version?: string;
    instance?: string;
    tenant?: string;
    attributes?: Record<string, Json>;
  };
  attributes?: Record<string, Json>;
  events?: SpanEvent[];
  links?: { trace_id: string; span_id: string; attributes?: Record<string, Json> }[];
}

export interface TraceDetail {
  trace_id: string;
  start: string;
  duration_ns: number;
  summary: string;
  services: unknown[] | null;
  spans: Span[] | null;
}

export type Verdict = "allow" | "hold" | "block" | "insufficient";

export interface GateRequest {
  service: string;
  environment?: string;
  version?: string;
  critical?: boolean;
  actor?: string;
}

export interface Evidence {
  slo: string;
  name: string;
  query: string;
  window: string;
  value: number | null;
  threshold?: number;
  events: number;
  coverage: number;
  last_data?: string;
  time: string;
}

export interface GateDecision {
  id: string;
  time: string;
  request: GateRequest;
  verdict: Verdict;
  summary: string;
  reasons: { verdict: Verdict; rule: string; slo?: string; message: string; cure?: string }[] | null;
  evidence: Evidence[] | null;
}

export interface Delivery {
  channel: string;
  time: string;
  status: "delivered" | "failed";
  attempt: number;
  error?: string;
}

export interface Page {
  id: string;
  dedup_key: string;
  time: string;
  updated: string;
  status: "firing" | "resolved";
  severity: string;
  title: string;
  summary: string;
  service?: string;
  receiver: string;
  group_labels: Record<string, string> | null;
  alerts:
    | {
        fingerprint: string;
        labels: Record<string, string>;
        annotations: Record<string, string> | null;
        starts_at: string;
        ends_at?: string;
        status: "firing" | "resolved";
      }[]
    | null;
  deliveries: Delivery[] | null;
  acked_by?: string;
  acked_at?: string;
  resolved_at?: string;
}

export interface PageList {
  pages: Page[] | null;
  summary: string;
}

export interface Explain {
  alert: string;
  summary: string;
  labels: Record<string, string> | null;
  severity: string;
  query: string;
  value: number | string | null;
  threshold: number | string | null;
  active_since?: string | null;
  timeline: { time: string; event: string }[] | null;
  pages: Page[] | null;
  silenced_by: string[] | null;
  inhibited_by: string[] | null;
}

export interface Status {
  version: string;
  revision?: string;
  started?: string;
  uptime_seconds: number;
  roles: string[] | null;
  demo: boolean;
  external_labels?: Record<string, string>;
  problems: { severity: string; message: string; cure?: string }[] | null;
}

/** Alertmanager API v2. */
export interface AmAlert {
  fingerprint: string;
  labels: Record<string, string>;
  annotations: Record<string, string>;
  startsAt: string;
  endsAt: string;
  updatedAt: string;
  generatorURL?: string;
  receivers: { name: string }[];
  status: { state: "unprocessed" | "active" | "suppressed"; silencedBy: string[]; inhibitedBy: string[] };
}

export interface Matcher {
  name: string;
  value: string;
  isRegex: boolean;
  isEqual?: boolean;
}

export interface Silence {
  id: string;
  matchers: Matcher[];
  startsAt: string;
  endsAt: string;
  createdBy: string;
  comment: string;
  status: { state: "active" | "pending" | "expired" };
}

/** Prometheus HTTP API. */
export type PromLabels = Record<string, string>;

export interface PromMatrixSeries {
  metric: PromLabels;
  values?: [number, string][];
  histograms?: unknown[];
}

export interface PromVectorSample {
  metric: PromLabels;
  value?: [number, string];
  histogram?: [number, { count: string; sum: string }];
}

export type PromData =
  | { resultType: "matrix"; result: PromMatrixSeries[] }
  | { resultType: "vector"; result: PromVectorSample[] }
  | { resultType: "scalar" | "string"; result: [number, string] };

export interface PromResult {
  data: PromData;
  warnings: string[];
  infos: string[];
}

export interface PromExemplarSeries {
  seriesLabels: PromLabels;
  exemplars: { labels: PromLabels; value: string; timestamp: number }[];
}

export interface PromRule {
  name: string;
  type: "alerting" | "recording";
  query: string;
  health: string;
  lastError?: string;
  state?: "firing" | "pending" | "inactive" | "unknown";
  duration?: number;
  labels?: PromLabels;
  annotations?: PromLabels;
  alerts?: { activeAt?: string; state: string; labels: PromLabels; value: string }[];
  lastEvaluation?: string;
  evaluationTime?: number;
}

export interface PromRuleGroup {
  name: string;
  file: string;
  interval: number;
  rules: PromRule[];
}
