import { screen } from "@testing-library/react";
import { describe, expect, it } from "vitest";
import type { PromData } from "~/api/types";
import { SpentRows } from "~/pages/slo/SpentRows";
import { renderPage } from "~/test/render";
import { policyRules, slo } from "~/test/samples";
import { limitsOfRules } from "./limits";
import { groupedBy, rank, spentWords, splitQueries } from "./spent";
import { hourRules, hours, suggestTarget, whatIf } from "./whatif";

const vector = (rows: [string | undefined, number][]): PromData => ({
  resultType: "vector",
  result: rows.map(([region, value]) => ({
    metric: (region === undefined ? {} : { region }) as Record<string, string>,
    value: [0, String(value)],
  })),
});

describe("a budget split by a label", () => {
  it("groups every plain sum and leaves the zero of a silent failure out", () => {
    expect(groupedBy('sum(increase(x{a="b"}[1h])) or vector(0)', "region")).toBe(
      'sum by (region) (increase(x{a="b"}[1h]))',
    );
  });
  it.each(["max(age)", "sum by (le) (rate(x[1h]))", "up"])("does not guess at %s", (query) =>
    expect(groupedBy(query, "region")).toBeUndefined(),
  );
  it("takes the bad from all minus good, and routes by the metric's own label", () => {
    const one = slo({
      queries: { good: "sum(http_b)", total: "sum(http_c)", error: "e" },
    });
    expect(splitQueries(one, "route")).toEqual({
      label: "http_route",
      total: "sum by (http_route) (http_c)",
      bad: "(sum by (http_route) (http_c)) - (sum by (http_route) (http_b))",
    });
  });
  it("says why a single figure cannot be split", () => {
    expect(splitQueries(slo({}), "region")).toEqual({
      reason: "it is judged by one figure, not by events",
    });
  });
  it("ranks by lift, not by size, and leaves out what spent nothing", () => {
    // us fails like the rest; eu is a tenth of the traffic and half of the bad.
    const total = vector([
      ["eu", 1000],
      ["us", 9000],
      ["ap", 5],
    ]);
    const spent = rank(
      vector([
        ["eu", 50],
        ["us", 55],
        ["ap", 0],
      ]),
      total,
      "region",
    );
    expect(spent.rows.map((row) => [row.value, row.lift?.toFixed(2)])).toEqual([
      ["eu", "4.76"],
      ["us", "0.58"],
    ]);
    expect(spentWords(spent, "region")).toBe("region=eu: 47.6 % of bad, 10 % of all, 4.76×.");
  });
  it("gives no lift to a handful of bad events", () => {
    const total = vector([
      ["eu", 10],
      ["us", 10_000],
    ]);
    const bad = vector([
      ["eu", 9],
      ["us", 2000],
    ]);
    const { rows } = rank(bad, total, "region");
    expect(rows.map((row) => [row.value, row.supported])).toEqual([
      ["us", true],
      ["eu", false],
    ]);
    const few = vector([
      ["eu", 3],
      ["us", 2],
    ]);
    expect(spentWords(rank(few, total, "region"), "region")).toBe(
      "Too few bad events to tell one region from another.",
    );
  });
  it("says when nothing stands out", () => {
    const total = vector([
      ["eu", 1000],
      ["us", 1000],
    ]);
    const bad = vector([
      ["eu", 52],
      ["us", 50],
    ]);
    expect(spentWords(rank(bad, total, "region"), "region")).toMatch(/^No region stands out/);
  });
  it("shows a dash with the reason where the series have no such label", async () => {
    const total = vector([[undefined, 100]]);
    await renderPage(
      <SpentRows
        slo={slo({})}
        split="region"
        label="region"
        bad={vector([[undefined, 3]])}
        total={total}
        wholeWindow
      />,
    );
    expect(screen.getByText(/– \(the indicator's series have no label region\)/)).toBeTruthy();
  });
  it("shows its figures and its part of the budget", async () => {
    await renderPage(
      <SpentRows
        slo={slo({})}
        split="region"
        label="region"
        bad={vector([
          ["eu", 10],
          ["us", 30],
        ])}
        total={vector([
          ["eu", 100],
          ["us", 100],
        ])}
        wholeWindow
      />,
    );
    expect(screen.getByText("region=us: 75 % of bad, 50 % of all, 1.5×.")).toBeTruthy();
    expect(screen.getByRole("columnheader", { name: "Lift" })).toBeTruthy();
    expect(screen.getByText("31.5 % of the budget")).toBeTruthy();
  });
});

describe("another target", () => {
  // Ten days of 100 requests an hour; one hour lost 20 of them.
  const list = Array.from({ length: 240 }, (_, at) => ({
    time: (at + 1) * 3600,
    bad: at === 30 ? 20 : 0,
    total: 100,
  }));
  const span = 240 * 3600;
  const rules = hourRules(limitsOfRules(policyRules({})));

  it("at 99.9 % leaves 4 of 24 allowed failures", () => {
    const result = whatIf(list, 0.999, span, rules);
    expect(result.left).toBeCloseTo(1 - 20 / 24, 9);
    expect(result.daysSpent).toBeCloseTo((20 / 24) * 10, 9);
    expect(result.daysOver).toBe(1);
    expect(result.goneAt).toBeUndefined();
    expect(result.coverage).toBe(1);
  });
  it("is over the SLO's own window what the SLO itself says", () => {
    const judged = { used: 0.419, objective: 0.999 };
    expect(whatIf(list, 0.999, span, rules, judged).left).toBeCloseTo(0.581, 9);
    expect(whatIf(list, 0.998, span, rules, judged).left).toBeCloseTo(1 - 0.419 / 2, 9);
    expect(whatIf(list, 0.9995, span, rules, { used: 0.6, objective: 0.999 }).goneAt).toBe(31 * 3600);
  });
  it("has the whole budget for the part of a window that is older than the data", () => {
    expect(whatIf(list, 0.999, 2 * span, rules).left).toBeCloseTo(1 - 20 / 48, 9);
  });
  it("pages once for one episode, and not at a target that bears it", () => {
    expect(whatIf(list, 0.999, span, rules).pages).toBe(1);
    expect(whatIf(list, 0.95, span, rules).pages).toBe(0);
  });
  it("is gone at the hour that took the last of it", () => {
    expect(whatIf(list, 0.9995, span, rules).goneAt).toBe(31 * 3600);
  });
  it("is suggested as the strictest that leaves the wanted share", () => {
    expect(suggestTarget(list, 0.5)).toBe(99.8);
    expect(suggestTarget(list, 0.1)).toBe(99.9);
    expect(suggestTarget([], 0.1)).toBeUndefined();
  });
  it("weighs hours by their requests where those are known, else alike", () => {
    const matrix = (text: string): PromData => ({
      resultType: "matrix",
      result: [{ metric: {}, values: [[3600, text]] }],
    });
    expect(hours(matrix("0.25"), matrix("8"))).toEqual([{ time: 3600, bad: 2, total: 8 }]);
    expect(hours(matrix("0.25"), undefined)).toEqual([{ time: 3600, bad: 0.25, total: 1 }]);
    expect(hours(matrix("NaN"), undefined)).toEqual([]);
  });
});
