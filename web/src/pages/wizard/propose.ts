import type { PromData } from "~/api/types";
import { formatDuration } from "~/format/duration";

/** What a proposal looks back over. */
export const lookBack = "30d";

/** Where a service's requests are counted. */
export interface Source {
  name: string;
  count: string;
  bucket: string;
  /** The matchers that every selector has. */
  match: string;
  /** The matcher of a failed request. */
  failed: string;
}

const quote = (text: string) => JSON.stringify(text);

/** The server's own histogram and that of spans, the longer-known first. */
export function sourcesOf(service: string): Source[] {
  const http = "http_server_request_duration_seconds";
  const span = "signalbox_span_duration_seconds";
  return [
    {
      name: "requests as the server's metrics count them",
      count: `${http}_count`,
      bucket: `${http}_bucket`,
      match: `service=${quote(service)}`,
      failed: 'http_response_status_code=~"5.."',
    },
    {
      name: "requests and messages as its spans count them",
      count: `${span}_count`,
      bucket: `${span}_bucket`,
      match: `service=${quote(service)},kind=~"server|consumer"`,
      failed: 'status="error"',
    },
  ];
}

export function totalOf(source: Source, window: string): string {
  return `sum(increase(${source.count}{${source.match}}[${window}]))`;
}

export interface Bucket {
  seconds: number;
  /** Every way this bound is written among the series, for one matcher. */
  texts: string[];
  /** Share of the requests at or below, 0 to 1. */
  share: number;
}

/** Cumulative buckets as shares; the same bound written twice (1 and 1.0) is one bucket. */
export function bucketsOf(data: PromData | undefined): Bucket[] {
  if (data?.resultType !== "vector") return [];
  const sums = new Map<number, { texts: string[]; value: number }>();
  let all = 0;
  for (const sample of data.result) {
    const le = sample.metric.le ?? "";
    const value = Number(sample.value?.[1]);
    if (!Number.isFinite(value)) continue;
    if (le === "+Inf") {
      all += value;
      continue;
    }
    const seconds = Number(le);
    const old = sums.get(seconds) ?? { texts: [], value: 0 };
    sums.set(seconds, { texts: [...old.texts, le].sort(), value: old.value + value });
  }
  if (all <= 0) return [];
  return [...sums]
    .map(([seconds, { texts, value }]) => ({ seconds, texts, share: Math.min(1, value / all) }))
    .sort((a, b) => a.seconds - b.seconds);
}

export interface Proposal {
  key: string;
  title: string;
  /** The SLO in words. */
  words: string;
  name: string;
  good?: string;
  bad?: string;
  /** Selectors inside sum(), without a window. */
  total: string;
  /** Error ratio with `$window`. */
  error: string;
}

function slug(text: string): string {
  return text
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "-")
    .replace(/^-|-$/g, "");
}

/** The first bucket that holds a share of the requests: its bound is at or just above the quantile. */
export function bucketAt(buckets: readonly Bucket[], share: number): Bucket | undefined {
  return buckets.find((bucket) => bucket.share >= share);
}

function latency(service: string, source: Source, bucket: Bucket, percent: number): Proposal {
  const le =
    bucket.texts.length > 1 ? `le=~${quote(bucket.texts.join("|"))}` : `le=${quote(bucket.texts[0] ?? "")}`;
  const good = `${source.bucket}{${source.match},${le}}`;
  const total = `${source.count}{${source.match}}`;
  const limit = formatDuration(bucket.seconds);
  return {
    key: `p${percent}`,
    title: `Latency, within ${limit}`,
    words: `requests answered within ${limit}, the bucket at the observed P${percent}`,
    name: `${slug(service)}-within-${slug(limit)}`,
    good,
    total,
    error: `1 - sum(increase(${good}[$window])) / sum(increase(${total}[$window]))`,
  };
}

/** Availability, and latency at the buckets just above the observed P95 and P99. */
export function proposals(service: string, source: Source, buckets: readonly Bucket[]): Proposal[] {
  const total = `${source.count}{${source.match}}`;
  const bad = `${source.count}{${source.match},${source.failed}}`;
  const out: Proposal[] = [
    {
      key: "availability",
      title: "Availability",
      words: "requests answered without an error",
      name: `${slug(service)}-availability`,
      bad,
      total,
      error: `(sum(increase(${bad}[$window])) or vector(0)) / sum(increase(${total}[$window]))`,
    },
  ];
  const p95 = bucketAt(buckets, 0.95);
  const p99 = bucketAt(buckets, 0.99);
  if (p95) out.push(latency(service, source, p95, 95));
  if (p99 && p99.seconds !== p95?.seconds) out.push(latency(service, source, p99, 99));
  return out;
}

/** The OpenSLO document; single-quoted YAML, in which only a quote is doubled. */
export function openSlo(service: string, proposal: Proposal, percent: number, window: string): string {
  const q = (text: string) => `'${text.replace(/'/g, "''")}'`;
  const source = (indent: string, kind: string, query: string) =>
    `${indent}${kind}:\n${indent}  metricSource:\n${indent}    spec:\n${indent}      query: ${q(`sum(${query})`)}\n`;
  const indent = "        ";
  return `apiVersion: openslo/v1
kind: SLO
metadata:
  name: ${proposal.name}
  displayName: ${q(`${service}: ${proposal.title.charAt(0).toLowerCase()}${proposal.title.slice(1)}`)}
spec:
  description: ${q(proposal.words)}
  service: ${q(service)}
  timeWindow:
    - duration: ${window}
      isRolling: true
  budgetingMethod: Occurrences
  objectives:
    - targetPercent: ${percent}
  indicator:
    metadata:
      name: ${proposal.name}
    spec:
      ratioMetric:
        counter: true
${proposal.bad ? source(indent, "bad", proposal.bad) : source(indent, "good", proposal.good ?? "")}${source(indent, "total", proposal.total)}`;
}
