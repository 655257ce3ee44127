import { screen } from "@testing-library/react";
import { describe, expect, it } from "vitest";
import type { PolicyView, SLOStatus } from "~/api/types";
import { GroupTable } from "~/pages/slo/GroupTable";
import { renderPage } from "~/test/render";
import { policyRules, slo } from "~/test/samples";
import { BurnBars } from "./BurnBars";
import { burnLimit, burnShare, burnTone, latencyLimit } from "./burn";
import { limitsFrom, limitsOfRules } from "./limits";

const rules = policyRules({});
const limits = limitsOfRules(rules);
const burn = (window: string, rate: number, coverage = 1) => ({ window, rate, events: 1, coverage });

describe("burn rates", () => {
  it.each([
    ["at the page's limit over 1 h is danger", burn("1h", 14), "danger"],
    ["just below it is caution", burn("1h", 13.9), "caution"],
    ["at 6× over 6 h is danger", burn("6h", 6), "danger"],
    ["at 1× over a window without a limit is caution", burn("3d", 1), "caution"],
    ["below 1× is ok", burn("1h", 0.9), "ok"],
    ["without data is unknown, never ok", burn("1h", 0, 0), "unknown"],
  ] as const)("%s", (_, one, tone) => expect(burnTone(one, limits)).toBe(tone));

  it("reach two thirds of the bar at the limit and never leave it", () => {
    expect(burnShare(burn("1h", 14), limits)).toBeCloseTo(2 / 3);
    expect(burnShare(burn("1h", 1000), limits)).toBe(1);
  });
});

describe("burn limits", () => {
  const view = {
    summary: "",
    default: rules,
    policies: [
      {
        name: "strict",
        file: "p.yml",
        line: 1,
        match: {},
        freezes: [],
        rules: policyRules({ burn_fast: { long: "2h", short: "10m", factor: 3 } }),
      },
    ],
    frozen: [],
    promises: [
      { slo: "edge-availability", service: "edge", band: "normal", policy: "strict", used_ratio: 0.1 },
    ],
  } as unknown as PolicyView;
  it("are those of the policy that stands for the SLO", () => {
    const own = limitsFrom(view, "edge-availability");
    expect(burnLimit("2h", own)?.limit).toBe(3);
    expect(burnLimit("1h", own)).toBeUndefined();
    expect(burnTone(burn("2h", 3), own)).toBe("danger");
  });
  it("are the default's for an SLO without a policy of its own", () => {
    expect(burnLimit("1h", limitsFrom(view, "other"))?.limit).toBe(14);
  });
  it("are not guessed where no policy is known", () => {
    expect(burnTone(burn("1h", 100), limitsFrom(undefined, "edge-availability"))).toBe("caution");
  });
});

describe("the limit of a latency SLO", () => {
  it("is that of the bucket when the words do not name it", () => {
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

describe("the groups of an SLO", () => {
  it("are listed with what is left of each, and an unknown one with a dash", async () => {
    const one = {
      name: 'a{route="/b"}',
      labels: { route: "/b" },
      state: "burning",
      reason: "Burning 10×.",
      burn: [],
    };
    const old = {
      ...one,
      name: 'a{route="/c"}',
      labels: { route: "/c" },
      state: "insufficient",
      reason: "Stale.",
    };
    const list = [
      { ...one, budget: { ...slo({}).budget, left_ratio: 0.58 } },
      { ...old, budget: { ...slo({}).budget, left_ratio: null } },
    ];
    const groups = { by: ["route"], count: 2, list } as unknown as SLOStatus["groups"];
    await renderPage(<GroupTable slo={slo({ groups })} />);
    expect(screen.getByText('route="/b"')).toBeTruthy();
    expect(screen.getByText("58 %")).toBeTruthy();
    expect(screen.getByText("–")).toBeTruthy();
  });
});
