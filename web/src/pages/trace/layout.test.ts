import { describe, expect, it } from "vitest";
import type { Span } from "~/api/types";
import { ancestorsOf, layoutTrace, matchesSpan, visibleRows } from "./layout";

const base = 1_795_269_600_000_000_000n;

function span(
  id: number,
  parent: number | null,
  startMs = 0,
  durationMs = 10,
  more: Partial<Span> = {},
): Span {
  return {
    trace_id: "t",
    span_id: String(id),
    parent_span_id: parent === null ? "" : String(parent),
    name: `span ${id}`,
    kind: "internal",
    start: new Date(0).toISOString(),
    start_unix_nano: String(base + BigInt(Math.round(startMs * 1e6))),
    duration_ns: durationMs * 1e6,
    status: "unset",
    service: "edge",
    resource: {},
    ...more,
  };
}

/** A repeatable stream of numbers below 1. */
function numbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

describe("the waterfall's layout", () => {
  it("puts children under their parents, siblings by start", () => {
    const { rows } = layoutTrace([span(3, 1, 5), span(2, 1, 1), span(1, null), span(4, 2, 2)]);
    expect(rows.map((row) => [row.span.span_id, row.depth])).toEqual([
      ["1", 0],
      ["2", 1],
      ["4", 2],
      ["3", 1],
    ]);
    expect(rows.map((row) => row.descendants)).toEqual([3, 1, 0, 0]);
  });

  it("keeps nanoseconds that a double would lose", () => {
    const { rows } = layoutTrace([span(1, null), span(2, 1, 0.000123)]);
    expect(rows[1]?.offset).toBeCloseTo(0.000123, 9);
  });

  it("shows a span whose parent was not received, and says so", () => {
    const { rows } = layoutTrace([span(1, null), span(2, 99)]);
    expect(rows.find((row) => row.span.span_id === "2")).toMatchObject({ depth: 0, orphan: true });
  });

  it("shows spans that name each other as parents, once each", () => {
    const { rows } = layoutTrace([span(1, 2), span(2, 1), span(3, 3)]);
    expect(rows.map((row) => row.span.span_id).sort()).toEqual(["1", "2", "3"]);
  });

  it("counts overlapping children once in a span's own time", () => {
    const { rows } = layoutTrace([
      span(1, null, 0, 100),
      span(2, 1, 10, 40),
      span(3, 1, 30, 40),
      span(4, 1, 90, 50),
    ]);
    expect(rows[0]?.self).toBeCloseTo(30, 6);
  });

  it("lays out a chain of 10,000 spans", () => {
    const { rows } = layoutTrace(Array.from({ length: 10_000 }, (_, i) => span(i, i === 0 ? null : i - 1)));
    expect(rows).toHaveLength(10_000);
    expect(rows[9_999]?.depth).toBe(9_999);
    expect(rows[0]?.descendants).toBe(9_999);
    expect(visibleRows(rows, new Set(["0"]))).toHaveLength(1);
  });

  it("has every span once, parents before children and whole subtrees together, for any tree of 10,000", () => {
    for (const seed of [1, 7, 42]) {
      const next = numbers(seed);
      const spans = Array.from({ length: 10_000 }, (_, i) =>
        span(i, i === 0 || next() < 0.001 ? null : Math.floor(next() * i), next() * 1000, next() * 50),
      );
      const { rows, totalMs } = layoutTrace([...spans].sort(() => next() - 0.5));
      expect(new Set(rows.map((row) => row.span.span_id)).size).toBe(10_000);
      const at = new Map(rows.map((row, index) => [row.span.span_id, index]));
      rows.forEach((row, index) => {
        const parent = at.get(row.span.parent_span_id);
        if (parent === undefined) return;
        expect(parent).toBeLessThan(index);
        expect(index).toBeLessThanOrEqual(parent + rows[parent]!.descendants);
        expect(row.depth).toBe(rows[parent]!.depth + 1);
      });
      expect(totalMs).toBe(Math.max(...rows.map((row) => row.offset + row.duration)));
    }
  });

  it("folds a subtree and nothing else", () => {
    const { rows } = layoutTrace([span(1, null), span(2, 1, 1), span(3, 2, 2), span(4, 1, 3)]);
    expect(visibleRows(rows, new Set(["2"])).map((row) => row.span.span_id)).toEqual(["1", "2", "4"]);
    expect(ancestorsOf(rows, "3")).toEqual(["2", "1"]);
  });

  it("finds spans by name, service, attribute and error", () => {
    const one = span(1, null, 0, 1, { status: "error", attributes: { "http.route": "/v1/layouts" } });
    expect(["span 1", "EDGE", "layouts", "http.route", "error"].every((text) => matchesSpan(one, text))).toBe(
      true,
    );
    expect(matchesSpan(one, "nothing")).toBe(false);
  });
});
