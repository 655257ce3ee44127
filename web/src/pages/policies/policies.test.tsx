import { screen } from "@testing-library/react";
import { describe, expect, it } from "vitest";
import type { Standing } from "~/api/types";
import { apiError, renderPage, stubApi } from "~/test/render";
import { bandSentence, byService } from "./bands";
import { nextWindow } from "./freeze";
import { PoliciesPage } from "./PoliciesPage";

const standing = (service: string, band: Standing["band"], used: number): Standing => ({
  slo: `${service}-${used}`,
  service,
  band,
  used_ratio: used,
  policy: "default",
});

describe("bands", () => {
  it("put a service into the strictest band of its SLOs", () => {
    const [first] = byService([standing("edge", "normal", 0.2), standing("edge", "freeze", 1.2)]);
    expect(first).toMatchObject({ service: "edge", band: "freeze", worst: { used_ratio: 1.2 } });
  });
  it.each([
    [
      [standing("edge", "freeze", 1), standing("a", "caution", 0.6), standing("b", "caution", 0.6)],
      "edge is frozen until its budget recovers; a and b are in caution.",
    ],
    [
      [standing("a", "normal", 0), standing("b", "normal", 0)],
      "All 2 services with a known budget are in the normal band.",
    ],
    [[standing("a", "", 0)], "No budget is known yet, so the gate allows nothing on its word."],
    [[], "No SLO is written down, so no budget holds a deployment back."],
  ] as const)("%# are said in words", (list, words) => expect(bandSentence(byService(list))).toBe(words));
});

describe("the next window of a freeze", () => {
  const at = (text: string) => Date.parse(text);
  const weekend = {
    name: "weekend",
    reason: "r",
    time_zone: "Europe/Zurich",
    weekly: { from: "fri 16:00", to: "mon 08:00" },
  };
  it("is the one that holds", () => {
    expect(nextWindow(weekend, at("2026-11-21T04:00:00Z"))).toEqual({
      from: at("2026-11-20T15:00:00Z"),
      to: at("2026-11-23T07:00:00Z"),
    });
  });
  it("holds on over the week's end", () => {
    expect(nextWindow(weekend, at("2026-11-22T12:00:00Z"))?.from).toBe(at("2026-11-20T15:00:00Z"));
  });
  it("keeps the wall clock when the clocks change", () => {
    expect(nextWindow(weekend, at("2026-10-23T12:00:00Z"))).toEqual({
      from: at("2026-10-23T14:00:00Z"),
      to: at("2026-10-26T07:00:00Z"),
    });
  });
  it("is none once a single freeze is over", () => {
    const once = { name: "x", reason: "r", start: "2026-12-18 18:00", end: "2027-01-04" };
    expect(nextWindow(once, at("2026-11-21T00:00:00Z"))?.to).toBe(at("2027-01-04T00:00:00Z"));
    expect(nextWindow(once, at("2027-01-04T00:00:00Z"))).toBeUndefined();
  });
});

describe("the policy page", () => {
  it("says that it cannot be shown, and why", async () => {
    stubApi({ "/sb/v1/gate/policies": apiError(501, "not_served", "gate policies are off") });
    await renderPage(<PoliciesPage />);
    expect(await screen.findByText("gate policies are off")).toBeTruthy();
  });
});
