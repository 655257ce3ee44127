import { describe, expect, it } from "vitest";
import {
  niceStep,
  parseInstant,
  parseRange,
  parseSpan,
  rangeLabel,
  rangeSearch,
  resolveRange,
  selectionRange,
  shift,
  spanText,
  zoomOut,
} from "./range";

const now = Date.UTC(2026, 10, 21, 14, 0, 0);

describe("a range in the URL", () => {
  it("is the last hour when the URL names none, and then leaves the URL clean", () => {
    expect(parseRange({})).toEqual({ kind: "last", seconds: 3600 });
    expect(rangeSearch({ kind: "last", seconds: 3600 })).toEqual({
      last: undefined,
      from: undefined,
      to: undefined,
    });
  });

  it.each(["15m", "90m", "6h", "7d", "28d"])("survives the way through the URL: last %s", (last) => {
    const range = parseRange({ last });
    expect(rangeSearch(range).last).toBe(last);
  });

  it("survives the way through the URL: absolute, to the millisecond", () => {
    const range = { kind: "absolute", from: now - 1234, to: now } as const;
    expect(parseRange(rangeSearch(range))).toEqual(range);
  });

  it.each([
    ["the start is after the end", { from: "2026-11-21T15:00:00Z", to: "2026-11-21T14:00:00Z" }],
    ["a time cannot be read", { from: "yesterday", to: "2026-11-21T14:00:00Z" }],
    ["the span cannot be read", { last: "soon" }],
    ["the span is zero", { last: "0m" }],
  ])("falls back to the default when %s", (_, search) => {
    expect(parseRange(search)).toEqual({ kind: "last", seconds: 3600 });
  });

  it("reads Unix seconds and milliseconds by their magnitude", () => {
    expect(parseInstant("1795269600")).toBe(1795269600000);
    expect(parseInstant("1795269600000")).toBe(1795269600000);
  });
});

describe("spans", () => {
  it.each([
    ["1h30m", 5400],
    ["7d", 604800],
    ["1w", 604800],
    ["2 h", 7200],
    ["1.5h", 5400],
  ])("%s is %d seconds", (text, seconds) => expect(parseSpan(text)).toBe(seconds));
  it.each(["", "h", "5", "5y", "-5m"])("%s is not a span", (text) => expect(parseSpan(text)).toBeUndefined());
  it("are written in the largest unit that fits whole", () => {
    expect([60, 5400, 86400, 90061].map(spanText)).toEqual(["1m", "90m", "1d", "90061s"]);
    expect(rangeLabel({ kind: "last", seconds: 900 })).toBe("Last 15 m");
  });
});

describe("moving a range", () => {
  const hour = resolveRange({ kind: "last", seconds: 3600 }, now);
  it("zooms out to twice the span and never beyond now", () => {
    const out = zoomOut(hour, now);
    expect(out.to).toBe(now);
    expect(out.to - out.from).toBe(2 * 3600_000);
  });
  it("shifts by half a span and never beyond now", () => {
    expect(shift(hour, -1, now)).toEqual({
      kind: "absolute",
      from: hour.from - 1800_000,
      to: hour.to - 1800_000,
    });
    expect(shift(hour, 1, now).to).toBe(now);
  });
  it("takes a selection in either direction, at least a second wide", () => {
    expect(selectionRange(200, 100)).toEqual({ kind: "absolute", from: 100_000, to: 200_000 });
    const thin = selectionRange(100, 100.0001);
    expect(thin.to - thin.from).toBeGreaterThanOrEqual(1000);
  });
});

describe("the step", () => {
  it("is a round figure that keeps the number of points in bounds for every preset", () => {
    for (const seconds of [900, 3600, 21600, 86400, 604800, 2592000]) {
      const range = { from: now - seconds * 1000, to: now };
      const step = niceStep(range, 240);
      expect(seconds / step).toBeLessThanOrEqual(240);
      expect(step).toBeGreaterThanOrEqual(5);
    }
  });
});
