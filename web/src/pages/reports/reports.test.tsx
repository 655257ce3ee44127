import { screen, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { describe, expect, it } from "vitest";
import type { Report, ReportSLO } from "~/api/types";
import { apiError, renderPage, stubApi } from "~/test/render";
import { dayAfter, toRequest } from "./period";
import { ReportPage } from "./ReportPage";
import { formatAchieved, formatMinutes } from "./verdicts";

const start = "2026-10-01T00:00:00Z";
const end = "2026-11-01T00:00:00Z";

function slo(change: Partial<ReportSLO>): ReportSLO {
  return {
    name: "edge-availability",
    display_name: "Edge availability",
    service: "edge",
    indicator: "share of good events",
    kind: "errors",
    objective: 0.999,
    window: "30d",
    unit: "events",
    verdict: "met",
    reason: "99.95 % achieved of 99.9 % promised.",
    contract: {
      achieved: 0.9995,
      points: 0.05,
      good: 9995,
      bad: 5,
      total: 10_000,
      allowed: 10,
      allowed_minutes: 44.64,
      used_minutes: 22.3,
      left_minutes: 22.3,
      used_ratio: 0.5,
      up_minutes: 44_600,
      unknown_minutes: 0,
      excluded_minutes: 0,
      coverage: 1,
    },
    corrections: [],
    days: [],
    episodes: [],
    small_episodes: 0,
    trend: [],
    ...change,
  };
}

function report(slos: ReportSLO[], change: Partial<Report> = {}): Report {
  const count = (verdict: string) => slos.filter((one) => one.verdict === verdict).length;
  return {
    title: "Service levels in October 2026",
    summary: "1 of 1 SLOs was kept in October 2026.",
    audience: "customer",
    as_of: end,
    period: {
      name: "October 2026",
      start,
      end,
      time_zone: "UTC",
      minutes: 44_640,
      elapsed_minutes: 44_640,
      complete: true,
    },
    counts: {
      promises: slos.length,
      met: count("met"),
      missed: count("missed"),
      at_risk: count("at_risk"),
      on_track: count("on_track"),
      unknown: count("unknown"),
    },
    scope: {},
    notes: ["Minutes are minutes of full outage."],
    promises: slos,
    ...change,
  };
}

const around = { "/sb/v1/services": { services: [] }, "/sb/v1/slos": { slos: [], summary: "", time: end } };
const open = (url = "/reports?period=last-month") => renderPage(<ReportPage />, { url, path: "/reports" });

describe("a report's request", () => {
  it("counts the last day of a custom period whole", () =>
    expect(
      toRequest({ period: "custom", start: "2026-10-01", end: "2026-10-31", zone: "Europe/Berlin" }),
    ).toMatchObject({
      start: "2026-10-01",
      end: "2026-11-01",
      time_zone: "Europe/Berlin",
    }));
  it("is not made before both days are known", () =>
    expect(toRequest({ period: "custom", start: "2026-10-01" })).toBeUndefined());
  it("knows leap days", () => expect(dayAfter("2028-02-28")).toBe("2028-02-29"));
});

describe("a report's figures", () => {
  it("are cut and never rounded up to the objective", () => {
    expect(formatAchieved(0.998999)).toBe("99.89 %");
    expect(formatAchieved(0.9995)).toBe("99.95 %");
    expect(formatAchieved(1)).toBe("100 %");
    expect(formatAchieved(0.999999)).toBe("99.9999 %");
    expect(formatAchieved(null)).toBe("–");
  });
  it("are minutes, and hours when there are many", () => {
    expect(formatMinutes(40.32)).toBe("40.3 min");
    expect(formatMinutes(2016)).toBe("33 h 36 min");
    expect(formatMinutes(-5)).toBe("−5 min");
  });
});

describe("the report", () => {
  it("marks corrections that were touched, and no other", async () => {
    const fix = (id: string, tampered?: string) => ({
      ...{
        id,
        kind: "maintenance" as const,
        author: "kim",
        reason: `reason ${id}`,
        start,
        end,
        minutes: 30,
        budget_points: 2,
      },
      ...(tampered ? { tampered } : {}),
    });
    const corrections = [fix("a", "it was changed in the database"), fix("b")];
    stubApi({ ...around, "/sb/v1/report": report([slo({ corrections })]) });
    await open();
    const table = within(await screen.findByRole("table", { name: "Corrections" }));
    const marks = table.getAllByRole("alert").map((one) => one.textContent);
    expect(marks).toEqual([expect.stringContaining("This correction: it was changed in the database.")]);
    expect(table.getByText(/reason b/)).toBeTruthy();
  });
  it("answers first, then shows each SLO, and is offered as files", async () => {
    stubApi({ ...around, "/sb/v1/report": report([slo({})]) });
    await open();
    expect(await screen.findByRole("heading", { level: 1, name: /1 of 1 SLOs was kept/ })).toBeTruthy();
    const row = within(await screen.findByRole("table", { name: "SLOs" })).getByRole("row", {
      name: /Edge/,
    });
    expect(row.textContent).toContain("99.95 %");
    const csv = screen.getByRole("link", { name: "CSV" }).getAttribute("href");
    expect(csv).toBe("/sb/v1/report?period=last-month&format=csv&download=true");
    expect(screen.getByText("Nothing was taken out.")).toBeTruthy();
  });
  it("says why an SLO was missed, and which are not known", async () => {
    const missed = slo({ verdict: "missed", reason: "Missed by 0.12 points." });
    const thin = slo({
      name: "b",
      display_name: "Layout",
      verdict: "unknown",
      reason: "data for 61 % of the time",
    });
    stubApi({ ...around, "/sb/v1/report": report([missed, thin]) });
    await open();
    expect(await screen.findByText(/Missed by 0.12 points/)).toBeTruthy();
    expect(screen.getByText(/1 SLO had too little data to be judged: Layout/)).toBeTruthy();
  });
  it("asks for what was picked and keeps it in the address", async () => {
    const calls = stubApi({ ...around, "/sb/v1/report": report([slo({})]) });
    const { router } = await open();
    await userEvent.click(await screen.findByText("Internal"));
    expect(router.state.location.search).toMatchObject({ period: "last-month", audience: "internal" });
    expect(calls.some((call) => call.params.get("audience") === "internal")).toBe(true);
  });
  it("waits for both days of a custom period", async () => {
    const calls = stubApi(around);
    await open("/reports?period=custom");
    expect(await screen.findByText("Pick both days.")).toBeTruthy();
    expect(calls.some((call) => call.path === "/sb/v1/report")).toBe(false);
  });
  it("says what to do when there is no SLO", async () => {
    stubApi({ ...around, "/sb/v1/report": report([]) });
    await open();
    expect(await screen.findByText("No SLO belongs into this report.")).toBeTruthy();
  });
  it("explains a period that is none", async () => {
    stubApi({ ...around, "/sb/v1/report": apiError(400, "bad_request", 'period: "foo" is none') });
    await open("/reports?period=foo");
    expect((await screen.findByRole("alert")).textContent).toContain('"foo" is none');
  });
});
