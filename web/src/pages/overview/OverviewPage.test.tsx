import { screen, within } from "@testing-library/react";
import { describe, expect, it } from "vitest";
import { apiError, renderPage, stubApi } from "~/test/render";
import { slo } from "~/test/samples";
import { OverviewPage } from "./OverviewPage";

const quiet = {
  "/sb/v1/pages": { pages: [], summary: "" },
  "/sb/v1/deploys": { deploys: [] },
  "/sb/v1/causes": { causes: [], summary: "" },
};

describe("the overview", () => {
  it("says who is on call, and first where nobody is", async () => {
    const ada = { schedule: "edge", person: { name: "ada", shown: "Ada L." }, end: "2030-12-23T08:00:00Z" };
    stubApi({
      ...quiet,
      "/sb/v1/slos": { slos: [], summary: "", time: "2026-11-21T14:02:00Z" },
      "/sb/v1/oncall": {
        summary: "",
        schedules: [
          { name: "edge", time_zone: "UTC", people: [], now: ada },
          { name: "nights", time_zone: "UTC", people: [] },
        ],
      },
    });
    await renderPage(<OverviewPage />);
    const now = await screen.findByRole("region", { name: "Who is on call" });
    expect(now.textContent).toMatch(/^On callnobody nightsAda L\. edge, until /);
    expect(within(now).getByRole("link", { name: "All schedules" }).getAttribute("href")).toBe("/oncall");
  });

  it("answers in the first line and shows the SLO in danger with its next step and ways on", async () => {
    const burning = slo({
      name: "layout-latency",
      display_name: "Layout latency",
      service: "layout",
      state: "burning",
      queries: {
        total: 'sum(http_server_request_duration_seconds_count{service="layout"})',
        good: 'sum(http_server_request_duration_seconds_bucket{service="layout",le="0.3"})',
        error: "",
      },
    });
    stubApi({
      ...quiet,
      "/sb/v1/slos": {
        slos: [burning, slo({})],
        summary: "1 of 2 SLOs is in danger.",
        time: burning.time,
      },
    });
    await renderPage(<OverviewPage />);
    expect(await screen.findByRole("heading", { level: 1, name: "1 of 2 SLOs is in danger." })).toBeTruthy();
    const card = await screen.findByRole("article", { name: "Layout latency" });
    expect(within(card).getByText(/Roll back/)).toBeTruthy();
    const traces = within(card).getByRole("link", { name: "Slow traces" });
    expect(decodeURIComponent(traces.getAttribute("href") ?? "").replaceAll("+", " ")).toContain(
      "q=kind:server service:layout duration:>300ms",
    );
    expect(screen.getByRole("table", { name: "SLOs that are not in danger" })).toBeTruthy();
  });

  it("puts the cause first, and what fails of it under it", async () => {
    const edge = slo({ name: "edge-availability", display_name: "Edge", service: "edge", state: "burning" });
    const access = slo({
      name: "access-availability",
      display_name: "Access",
      service: "access",
      state: "burning",
    });
    const since = "2026-11-21T14:02:00Z";
    const text = "access has failed since 14:02 UTC, right after version 1.10.0; edge fails because of it.";
    stubApi({
      ...quiet,
      "/sb/v1/slos": { slos: [edge, access], summary: "2 of 2 SLOs are in danger.", time: since },
      "/sb/v1/causes": {
        causes: [
          {
            cause: { kind: "change", service: "access", since, text: "" },
            services: ["access", "edge"],
            slos: ["access-availability", "edge-availability"],
            text,
          },
        ],
        summary: `${text} 2 of 2 SLOs burn of it.`,
      },
    });
    await renderPage(<OverviewPage />);
    expect(
      await screen.findByRole("heading", { level: 1, name: /access has failed since 14:02/ }),
    ).toBeTruthy();
    const group = await screen.findByRole("region", { name: text });
    const cards = within(group).getAllByRole("article");
    expect(cards.map((card) => card.getAttribute("aria-label"))).toEqual(["Access", "Edge"]);
  });

  it("says how to write an SLO when there is none", async () => {
    stubApi({ ...quiet, "/sb/v1/slos": { slos: [], summary: "", time: new Date().toISOString() } });
    await renderPage(<OverviewPage />);
    expect(await screen.findByText("No SLO is written down yet.")).toBeTruthy();
    expect(screen.getByText(/signalbox check slos/)).toBeTruthy();
  });

  it("says what, why and what next when the answer fails", async () => {
    stubApi({ ...quiet, "/sb/v1/slos": apiError(503, "overloaded", "too many requests at once") });
    await renderPage(<OverviewPage />);
    const alert = await screen.findByRole("alert");
    expect(alert.textContent).toContain("Could not load the SLOs.");
    expect(alert.textContent).toContain("too many requests at once");
    expect(within(alert).getByRole("button", { name: "Try again" })).toBeTruthy();
  });

  it("shows no figure where there is no data", async () => {
    const blind = slo({
      state: "insufficient",
      burn: [],
      budget: { ...slo({}).budget, reason: "no samples for 26 h" },
    });
    stubApi({ ...quiet, "/sb/v1/slos": { slos: [blind], summary: "s", time: blind.time } });
    await renderPage(<OverviewPage />);
    const table = await screen.findByRole("table", { name: "SLOs that are not in danger" });
    expect(within(table).getByText("Budget unknown: no samples for 26 h.")).toBeTruthy();
    expect(within(table).queryByText("0×")).toBeNull();
  });
});
