import type { Span } from "~/api/types";

/** One span's place in the waterfall. Times in ms from the trace's start. */
export interface Row {
  span: Span;
  depth: number;
  offset: number;
  duration: number;
  /** Spans below it, all generations. */
  descendants: number;
  /** Its parent is named but was not received. */
  orphan: boolean;
  /** Time in which none of its children ran, ms. */
  self: number;
}

export interface Layout {
  /** In reading order: parents before children, siblings by start. */
  rows: Row[];
  /** Children by the index of their parent in rows; the subtree of rows[i] is i+1 … i+descendants. */
  totalMs: number;
  services: string[];
}

/** Nanoseconds are beyond a double's whole numbers, so the difference is taken first. */
function offsetMs(span: Span, base: bigint): number {
  return Number(BigInt(span.start_unix_nano) - base) / 1e6;
}

/** Lays out any number of spans without recursion: a trace may be one chain of ten thousand. */
export function layoutTrace(spans: readonly Span[]): Layout {
  if (spans.length === 0) return { rows: [], totalMs: 0, services: [] };
  const base = spans.reduce(
    (least, span) => {
      const start = BigInt(span.start_unix_nano);
      return start < least ? start : least;
    },
    BigInt(spans[0]?.start_unix_nano ?? 0),
  );

  const ids = new Set(spans.map((span) => span.span_id));
  const children = new Map<string, { span: Span; offset: number }[]>();
  const roots: { span: Span; offset: number }[] = [];
  for (const span of spans) {
    const entry = { span, offset: offsetMs(span, base) };
    const parent = span.parent_span_id;
    if (!parent || !ids.has(parent) || parent === span.span_id) roots.push(entry);
    else {
      const siblings = children.get(parent);
      if (siblings) siblings.push(entry);
      else children.set(parent, [entry]);
    }
  }
  const byStart = (a: { offset: number }, b: { offset: number }) => a.offset - b.offset;
  roots.sort(byStart);
  for (const siblings of children.values()) siblings.sort(byStart);

  const rows: Row[] = [];
  const seen = new Set<string>();
  const walk = (start: { span: Span; offset: number }[]) => {
    const stack = start.map((entry) => ({ entry, depth: 0 })).reverse();
    while (stack.length > 0) {
      const { entry, depth } = stack.pop() as (typeof stack)[number];
      const { span, offset } = entry;
      if (seen.has(span.span_id)) continue;
      seen.add(span.span_id);
      const below = children.get(span.span_id) ?? [];
      const duration = span.duration_ns / 1e6;
      const orphan = Boolean(span.parent_span_id) && !ids.has(span.parent_span_id);
      rows.push({
        span,
        depth,
        offset,
        duration,
        descendants: 0,
        orphan,
        self: selfTime(offset, duration, below),
      });
      for (let i = below.length - 1; i >= 0; i--) stack.push({ entry: below[i]!, depth: depth + 1 });
    }
  };
  walk(roots);
  // Spans that name each other as parents have no root: they are shown all the same.
  for (const span of spans) if (!seen.has(span.span_id)) walk([{ span, offset: offsetMs(span, base) }]);
  countDescendants(rows);

  const totalMs = rows.reduce((end, row) => Math.max(end, row.offset + row.duration), 0);
  const services = [...new Set(rows.map((row) => row.span.service))];
  return { rows, totalMs, services };
}

function countDescendants(rows: Row[]) {
  const open: number[] = [];
  rows.forEach((row, at) => {
    while (open.length > 0 && (rows[open[open.length - 1]!]?.depth ?? 0) >= row.depth) close(open.pop()!, at);
    open.push(at);
  });
  while (open.length > 0) close(open.pop()!, rows.length);
  function close(index: number, end: number) {
    const row = rows[index];
    if (row) row.descendants = end - index - 1;
  }
}

function selfTime(
  offset: number,
  duration: number,
  children: readonly { span: Span; offset: number }[],
): number {
  let covered = 0;
  let reached = offset;
  const end = offset + duration;
  for (const child of children) {
    const from = Math.max(child.offset, reached);
    const to = Math.min(child.offset + child.span.duration_ns / 1e6, end);
    if (to > from) {
      covered += to - from;
      reached = to;
    }
  }
  return Math.max(0, duration - covered);
}

/** The rows in sight when the subtrees of the collapsed spans are folded. */
export function visibleRows(rows: readonly Row[], collapsed: ReadonlySet<string>): Row[] {
  if (collapsed.size === 0) return [...rows];
  const out: Row[] = [];
  for (let i = 0; i < rows.length; i++) {
    const row = rows[i]!;
    out.push(row);
    if (collapsed.has(row.span.span_id)) i += row.descendants;
  }
  return out;
}

/** The ancestors to open so that a span is in sight. */
export function ancestorsOf(rows: readonly Row[], spanId: string): string[] {
  const parents = new Map(rows.map((row) => [row.span.span_id, row.span.parent_span_id]));
  const out: string[] = [];
  let current = parents.get(spanId);
  while (current && parents.has(current) && !out.includes(current)) {
    out.push(current);
    current = parents.get(current);
  }
  return out;
}

/** Whether a span has the text in its name, service, status message or an attribute. */
export function matchesSpan(span: Span, text: string): boolean {
  const wanted = text.toLowerCase();
  const hit = (value: unknown) =>
    String(value ?? "")
      .toLowerCase()
      .includes(wanted);
  if (hit(span.name) || hit(span.service) || hit(span.status_message) || hit(span.span_id)) return true;
  if (wanted === "error" && span.status === "error") return true;
  return Object.entries(span.attributes ?? {}).some(
    ([key, value]) => hit(key) || hit(typeof value === "object" ? JSON.stringify(value) : value),
  );
}
