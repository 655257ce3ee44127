import { screen } from "@testing-library/react";
import { describe, expect, it } from "vitest";
import { renderPage } from "~/test/render";
import { slo } from "~/test/samples";
import { BudgetBar } from "./BudgetBar";
import { BurnBars } from "./BurnBars";
import { badTracesFilter, burnShare, burnTone, latencyLimit, sloTone } from "./burn";

const burn = (window: string, rate: number, coverage = 1) => ({ window, rate, events: 1, coverage });

describe("burn rates", () => {
  it.each([
    ["at the page's limit over 1 h is danger", burn("1h", 14), "danger"],
    ["just below it is caution", burn("1h", 13.9), "caution"],
    ["at 6× over 6 h is danger", burn("6h", 6), "danger"],
    ["at 1× over 3 d is caution, for it opens a ticket", burn("3d", 1), "caution"],
    ["below 1× is ok", burn("1h", 0.9), "ok"],
    ["without data is unknown, never ok", burn("1h", 0, 0), "unknown"],
  ] as const)("%s", (_, one, tone) => expect(burnTone(one)).toBe(tone));

  it("reach two thirds of the bar at the limit and never leave it", () => {
    expect(burnShare(burn("1h", 14))).toBeCloseTo(2 / 3);
    expect(burnShare(burn("1h", 1000))).toBe(1);
  });

  it("make a burning promise red only when a limit is passed", () => {
    expect(sloTone(slo({ state: "burning" }))).toBe("danger");
    expect(sloTone(slo({ state: "burning", burn: [burn("6h", 3)] }))).toBe("caution");
  });
});

describe("the traces that spent the budget", () => {
  it("are the failed ones for availability and the slow ones for latency", () => {
    expect(badTracesFilter(slo({}))).toBe("service:edge status:error");
    expect(badTracesFilter(slo({ name: "edge-latency" }))).toBe("service:edge duration:>300ms");
  });
  it("take the limit from the bucket when the words do not name it", () => {
    const one = slo({
      name: "edge-latency",
      indicator: "fast requests",
      queries: { good: 'x_bucket{le="0.25"}', error: "e" },
    });
    expect(latencyLimit(one)).toBe("250ms");
  });
});

describe("burn bars", () => {
  it("name each window, shortest first, with its figure", async () => {
    await renderPage(<BurnBars slo={slo({})} />);
    expect(screen.getAllByRole("term").map((term) => term.textContent)).toEqual(["1 h", "6 h"]);
    expect(screen.getByText("21.4×")).toBeTruthy();
  });
  it("say no data instead of zero", async () => {
    await renderPage(<BurnBars slo={slo({ burn: [burn("1h", 0, 0)] })} />);
    expect(screen.getByText("no data")).toBeTruthy();
  });
  it("say why there is nothing", async () => {
    await renderPage(
      <BurnBars slo={slo({ burn: [], budget: { ...slo({}).budget, reason: "no samples" } })} />,
    );
    expect(screen.getByText("No burn rate: no samples.")).toBeTruthy();
  });
});

describe("the budget bar", () => {
  it.each([
    [0.58, "58 % of 28 d left"],
    [-0.08, "Overspent by 8 % of 28 d"],
  ])("reads for %d left: %s", async (left, words) => {
    await renderPage(<BudgetBar slo={slo({ budget: { ...slo({}).budget, left_ratio: left } })} />);
    expect(screen.getByText(words)).toBeTruthy();
  });
});
