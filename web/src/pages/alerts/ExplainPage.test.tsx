import { screen } from "@testing-library/react";
import { describe, expect, it } from "vitest";
import type { Explanation } from "~/api/types";
import { renderPage, stubApi } from "~/test/render";
import { attempt, escalation, page } from "~/test/samples";
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

const show = (data: Explanation, replies: Record<string, unknown> = {}) => {
  stubApi({ "/sb/v1/explain/f1": data, ...replies });
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

  it("shows whom its newest page went to, and asks for it anew", async () => {
    const ladder = escalation({ steps: [] });
    const newer = escalation({ news: [attempt({ kind: "acknowledged", to: "kim" })] });
    await show(
      { ...base, pages: [page({}), page({ id: "p0" })], escalation: ladder },
      { "/sb/v1/pages/p1/escalation": newer },
    );
    expect(await screen.findByRole("heading", { name: "Whom the page went to" })).toBeTruthy();
    expect(await screen.findByText(/that somebody has it/)).toBeTruthy();
  });

  it("shows without a page whom it would go to", async () => {
    const supposed = escalation({ page: undefined, state: undefined, next: undefined, summary: "It is P0." });
    await show({ ...base, escalation: supposed });
    expect(await screen.findByRole("heading", { name: "Whom it would page" })).toBeTruthy();
    expect(screen.getByText("It is P0.")).toBeTruthy();
  });
});
