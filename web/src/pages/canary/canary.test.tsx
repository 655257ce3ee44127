import { screen } from "@testing-library/react";
import { describe, expect, it } from "vitest";
import type { CanaryFigures, PromData } from "~/api/types";
import { renderPage } from "~/test/render";
import { overlay, wilson } from "./distribution";
import { ErrorIntervals } from "./ErrorIntervals";

const figures = (version: string, errors: number, events: number): CanaryFigures => ({
  version,
  errors,
  events,
  error_ratio: null,
  p50_seconds: null,
  p95_seconds: null,
  p99_seconds: null,
  saturation: null,
});

describe("the interval of a share", () => {
  it("is Wilson's at 95 %", () => {
    const [low, high] = wilson(1, 10) ?? [0, 0];
    expect(low).toBeCloseTo(0.017876, 5);
    expect(high).toBeCloseTo(0.40415, 5);
    expect(wilson(0, 0)).toBeUndefined();
  });
  it.each([
    [figures("1", 1, 1000), figures("2", 300, 1000), /canary fails more often/],
    [figures("1", 10, 1000), figures("2", 11, 1000), /no difference is sure/],
    [figures("1", 10, 1000), figures("2", 0, 0), /nothing can be said/],
  ])("%# is read in words", async (a, b, words) => {
    await renderPage(<ErrorIntervals baseline={a} canary={b} />);
    expect(screen.getByText(words)).toBeTruthy();
  });
});

it("two histograms lie over each other as shares, empty ends left out", () => {
  const buckets = (rows: [string, number][]): PromData => ({
    resultType: "vector",
    result: rows.map(([le, value]) => ({ metric: { le }, value: [0, String(value)] })),
  });
  const a = buckets([
    ["+Inf", 10],
    ["0.1", 5],
    ["0.05", 0],
    ["0.5", 10],
  ]);
  const b = buckets([
    ["0.05", 0],
    ["0.1", 1],
    ["0.5", 4],
    ["+Inf", 4],
  ]);
  expect(overlay(a, b)).toEqual([
    { le: "0.1", baseline: 0.5, canary: 0.25 },
    { le: "0.5", baseline: 0.5, canary: 0.75 },
  ]);
});
