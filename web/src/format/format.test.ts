import { describe, expect, it } from "vitest";
import { formatDuration, formatDurationExact, formatWindow, significant } from "./duration";
import { axisUnit, formatFigure, formatRatio, plural } from "./number";
import percent from "./testdata/percent.json";
import { formatSpan, formatWhen, fromInputValue, toInputValue } from "./time";

describe("durations", () => {
  it.each([
    [0, "0 s"],
    [3e-9, "3 ns"],
    [0.0000123, "12.3 µs"],
    [0.0812, "81.2 ms"],
    [0.812, "812 ms"],
    [0.99996, "1 s"],
    [1.234, "1.23 s"],
    [59.99, "1 m"],
    [190, "3 m 10 s"],
    [3600, "1 h"],
    [11_400, "3 h 10 m"],
    [86_399, "1 d"],
    [187_200, "2 d 4 h"],
    [-90, "−1 m 30 s"],
  ])("%d s reads %s", (seconds, text) => expect(formatDuration(seconds)).toBe(text));

  it("never rounds up to a unit's own size within a unit", () => {
    for (let seconds = 0.5; seconds < 200_000; seconds *= 1.013) {
      const text = formatDuration(seconds);
      expect(text).not.toMatch(/\b60 [sm]\b|\b24 h\b|\b1,000 (ns|µs|ms)\b/);
    }
  });

  it("gives a budget to the second: 99.5 % over 28 d is 3 h 21 m 36 s", () => {
    expect(formatDurationExact((1 - 0.995) * 28 * 86400)).toBe("3 h 21 m 36 s");
  });

  it("spaces windows", () => expect(formatWindow("28d")).toBe("28 d"));
});

describe("figures", () => {
  it("keep three significant digits and no exponent", () => {
    expect([1234, 0.012345, 12.345, 0].map((n) => significant(n))).toEqual(["1,230", "0.0123", "12.3", "0"]);
  });
  it.each([
    [0.0421, "ratio", "4.21 %"],
    [14.4, "factor", "14.4×"],
    [84.2, "per_second", "84.2 /s"],
    [12_340, "per_second", "12.3 k/s"],
    [999_950, "count", "1 M"],
    [1536, "bytes", "1.5 KiB"],
    [-0.08, "ratio", "−8 %"],
  ] as const)("%d as %s reads %s", (value, unit, text) => expect(formatFigure(value, unit)).toBe(text));
  it("is a dash, never a zero, where there is no data", () => {
    expect([null, undefined, Number.NaN].map((value) => formatFigure(value, "ratio"))).toEqual([
      "–",
      "–",
      "–",
    ]);
  });
  it("read shares as sentences, the command line and the gate do: one table for the tests of both", () => {
    for (const [value, text] of percent) expect(formatRatio(Number(value))).toBe(text);
  });
  it("tells an objective from 100 %", () => {
    expect([0.995, 0.9995, 0.99999, 1].map(formatRatio)).toEqual(["99.5 %", "99.95 %", "99.999 %", "100 %"]);
  });
  it("counts in words", () => {
    expect([plural(0, "trace"), plural(1, "trace"), plural(1200, "trace")]).toEqual([
      "no traces",
      "1 trace",
      "1,200 traces",
    ]);
  });
});

describe("the unit of a query", () => {
  it.each([
    ["rate(x_seconds_count[5m])", "per_second"],
    ["histogram_quantile(0.95, rate(x_seconds_bucket[5m]))", "seconds"],
    ["sum(rate(a_total[5m])) / sum(rate(b_total[5m]))", "none"],
    ["signalbox_slo_budget_left_ratio", "ratio"],
    ["process_resident_memory_bytes", "bytes"],
    ["process_start_time_seconds", "none"],
    ["up", "none"],
  ])("%s is %s", (expr, unit) => expect(axisUnit(expr)).toBe(unit));
});

describe("times", () => {
  const at = Date.UTC(2026, 10, 21, 14, 2, 3);
  it("name the day only when it is another one", () => {
    expect(formatWhen(at, "utc", at + 3600_000)).toBe("14:02");
    expect(formatWhen(at, "utc", at + 86_400_000)).toBe("21 Nov 14:02");
    expect(formatSpan(at, at + 3600_000, "utc")).toBe("21 Nov 14:02 – 15:02");
  });
  it("survive the way through a form field in both zones", () => {
    for (const zone of ["utc", "local"] as const)
      expect(fromInputValue(toInputValue(at, zone), zone)).toBe(at);
  });
});
