import { screen } from "@testing-library/react";
import { describe, expect, it } from "vitest";
import type { Explanation } from "~/api/types";
import { renderPage, stubApi } from "~/test/render";
import { ExplainPage } from "./ExplainPage";

const base: Explanation = {
  alert: "HighErrorRate",
  fingerprint: "f1",
  state: "firing",
  summary: "HighErrorRate of edge has been active since 14:02 UTC.",
  labels: { alertname: "HighErrorRate", service: "edge" },
  severity: "critical",
  query: "x > 1",
  condition: "> 1 for 5 m",
  value: 3,
  threshold: 1,
  active_since: "2026-11-21T14:02:00Z",
  timeline: [],
  pages: [],
  silenced_by: [],
  inhibited_by: [],
};

const show = (data: Explanation) => {
  stubApi({ "/sb/v1/explain/f1": data });
  return renderPage(<ExplainPage />, { url: "/alerts/f1", path: "/alerts/$alert" });
};

describe("why was I paged, or why not", () => {
  it("names the silence, the inhibiting alert and the route, and leads to further alerts of the name", async () => {
    await show({
      ...base,
      silenced_by: ["s1"],
      silences: [{ id: "s1", created_by: "ada", comment: "the migration", ends_at: "2026-11-21T16:00:00Z" }],
      inhibited_by: ["l1"],
      inhibitors: [
        { fingerprint: "l1", alert: "SLOBurnRateFast", labels: { service: "layout" }, state: "firing" },
      ],
      receivers: ["edge-team"],
      others: [{ fingerprint: "f2", alert: "HighErrorRate", labels: { service: "web" }, state: "pending" }],
    });
    expect(await screen.findByText(/a silence of ada until/)).toBeTruthy();
    expect(screen.getByText(/the migration/)).toBeTruthy();
    expect(screen.getByRole("link", { name: "SLOBurnRateFast layout" }).getAttribute("href")).toContain("l1");
    expect(screen.getByText("edge-team")).toBeTruthy();
    expect(screen.getByRole("link", { name: "Pending" }).getAttribute("href")).toContain("f2");
  });

  it("says of an inactive rule what it would need", async () => {
    await show({
      ...base,
      state: "inactive",
      summary: "HighErrorRate is not active: value 0.2, needs > 1 for 5 m.",
      value: 0.2,
      active_since: null,
    });
    expect(await screen.findByText("Inactive")).toBeTruthy();
    expect(screen.getByText("0.2")).toBeTruthy();
    expect(screen.getByText("needs > 1 for 5 m")).toBeTruthy();
    expect(screen.getByText("not active")).toBeTruthy();
  });
});
