import { screen, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { describe, expect, it } from "vitest";
import type {
  BacktestJob,
  BacktestOutcome,
  BacktestResult,
  BacktestPage as Notice,
  Verdict,
} from "~/api/types";
import { apiError, renderPage, stubApi } from "~/test/render";
import { BacktestPage } from "./BacktestPage";
import { toCsv, toMarkdown } from "./export";
import { answerOf, pairPages } from "./outcome";

const at = (minutes: number) => new Date(Date.UTC(2026, 10, 1, 0, minutes)).toISOString();

const notice = (start: number, end: number, change: Partial<Notice> = {}): Notice => ({
  start: at(start),
  end: at(end),
  seconds: (end - start) * 60,
  receiver: "on-call",
  severity: "critical",
  group: { service: "edge" },
  alerts: ["SLOBurnRateFast"],
  ...change,
});

const deploy = (minutes: number, verdict: Verdict) => ({
  deploy: {
    id: `d${minutes}`,
    time: at(minutes),
    service: "edge",
    version: "2.4.1",
    kind: "deploy",
    status: "succeeded",
  } as const,
  verdict,
  summary: `${verdict}: because.`,
  reasons: [],
});

function outcome(name: "A" | "B", pages: Notice[], deploys: ReturnType<typeof deploy>[]): BacktestOutcome {
  return {
    name,
    pages,
    deploys,
    alerts: pages.map((page) => ({
      name: "SLOBurnRateFast",
      slo: "edge-availability",
      service: "edge",
      severity: page.severity,
      labels: { service: "edge" },
      receivers: [page.receiver],
      start: page.start,
      ...(page.end ? { end: page.end } : {}),
      seconds: page.seconds,
    })),
    promises: [
      {
        name: "edge-availability",
        display_name: "Edge availability",
        service: "edge",
        objective: name === "A" ? 0.999 : 0.9999,
        window: "28d",
        bad: 1,
        total: 2,
        used_at_start: 0,
        used_at_end: name === "A" ? 0.4 : 4,
        worst_used: name === "A" ? 0.4 : 4,
        worst_at: at(60),
        alerts: pages.length,
        unknown_seconds: name === "A" ? 0 : 36_000,
        bands: [{ name: "normal", from: 0, seconds: 86_400 }],
        curve: [{ time: at(0), left_ratio: 1, burn_1h: 0 }],
      },
    ],
  };
}

const a = outcome("A", [notice(10, 20), notice(100, 110)], [deploy(5, "allow"), deploy(50, "allow")]);
const b = outcome("B", [notice(15, 30)], [deploy(5, "hold"), deploy(50, "allow")]);
const result = (...sets: BacktestOutcome[]): BacktestResult => ({
  start: at(0),
  end: at(1440),
  step: "1m",
  summary: "",
  sets,
  difference: [{ what: "pages", a: 2, b: 1, difference: -1 }],
  notes: ["Only so much is known."],
});

describe("the answer", () => {
  it("counts pages and stopped deployments of B against A", () =>
    expect(answerOf(result(a, b))).toBe(
      "With B you would have been paged once instead of 2; 1 deployment would have been held instead of none.",
    ));
  it("says so when nothing differs", () =>
    expect(answerOf(result(a, { ...a, name: "B" }))).toBe(
      "With B you would have been paged 2 times, as with A; none of 2 deployments would have been held, with either.",
    ));
  it("stands for one set too", () =>
    expect(answerOf(result(outcome("A", [], [])))).toBe(
      "Nobody would have been paged in 1 d; nothing was deployed.",
    ));
  it("does not count what wakes nobody", () =>
    expect(answerOf(result(outcome("A", [notice(1, 2, { severity: "warning" })], [])))).toContain("Nobody"));
});

describe("pages of two sets", () => {
  it("are one where receiver, severity and group are the same and their times meet", () => {
    const pairs = pairPages(a.pages, b.pages);
    expect(pairs.map((pair) => [Boolean(pair.a), Boolean(pair.b)])).toEqual([
      [true, true],
      [true, false],
    ]);
  });
  it("of another service are not", () =>
    expect(pairPages(a.pages, [notice(10, 20, { group: { service: "layout" } })])).toHaveLength(3));
});

describe("a result in other forms", () => {
  it("is a table of every page and deployment as CSV", () => {
    const lines = toCsv(result(a, b)).split("\n");
    expect(lines).toHaveLength(8);
    expect(lines[1]).toBe(`A,notification,${at(10)},${at(20)},critical,on-call,SLOBurnRateFast`);
  });
  it("is safe to open in a spreadsheet", () => {
    const evil = result(a, b);
    const [set] = evil.sets;
    const [page] = set?.pages ?? [];
    if (!set || !page) throw new Error("no page");
    const sheet = toCsv({
      ...evil,
      sets: [{ ...set, pages: [{ ...page, receiver: "@SUM(A1)", alerts: ["-2+3", "x"] }] }],
    });
    expect(sheet.split("\n")[1]).toBe(`A,notification,${page.start},${page.end},critical,'@SUM(A1),'-2+3 x`);
  });
  it("begins with the answer as Markdown and keeps the notes", () => {
    const text = toMarkdown(result(a, b));
    expect(text.startsWith(`**${answerOf(result(a, b))}**`)).toBe(true);
    expect(text).toContain("| A and B |");
    expect(text).toContain("Note: Only so much is known.");
  });
});

const job = (change: Partial<BacktestJob>): BacktestJob => ({
  id: "j1",
  state: "done",
  progress: 1,
  started: at(0),
  seconds: 4,
  ...change,
});
const files = { "/sb/v1/backtest/documents": { slos: [{ name: "slos/edge.yaml", text: "kind: SLO" }] } };
const open = (url = "/backtest?job=j1") => renderPage(<BacktestPage />, { url, path: "/backtest" });

describe("the backtest page", () => {
  it("shows both sides with ways to the evidence, and what is not known", async () => {
    stubApi({ ...files, "/sb/v1/backtest/j1": job({ result: result(a, b) }) });
    await open();
    expect(
      await screen.findByRole("heading", { level: 1, name: /With B you would have been paged once/ }),
    ).toBeTruthy();
    const pages = screen.getByRole("table", { name: "Pages" });
    expect(within(pages).getByText("A and B")).toBeTruthy();
    expect(within(pages).getByText("only A")).toBeTruthy();
    const [way] = within(pages).getAllByRole("link", { name: "edge-availability then" });
    expect(way?.getAttribute("href")).toContain("from=2026-10-31T23:10:00Z");
    expect(screen.getByText("Edge availability has no data for 10 h of 1 d.")).toBeTruthy();
    const timeline = screen.getByRole("group", { name: /^Timeline/ });
    timeline.focus();
    await userEvent.keyboard("{ArrowRight}");
    expect(within(timeline).getByRole("status").textContent).toContain("edge 2.4.1: held");
  });
  it("says how far it is and ends on request", async () => {
    const calls = stubApi({
      ...files,
      "/sb/v1/backtest/j1": job({ state: "running", progress: 0.25, seconds: 5 }),
    });
    await open();
    expect(await screen.findByText("25 % replayed after 5 s, about 15 s to go")).toBeTruthy();
    await userEvent.click(screen.getByRole("button", { name: "Cancel" }));
    expect(calls.some((call) => call.method === "DELETE" && call.path === "/sb/v1/backtest/j1")).toBe(true);
  });
  it.each([
    ["cancelled", job({ state: "cancelled" }), "The replay was cancelled."],
    ["failed", job({ state: "failed", error: "the store is gone" }), "the store is gone"],
    ["forgotten", apiError(404, "not_found", "backtest j1"), "This result is no longer remembered."],
  ])("explains a replay that was %s", async (_, answer, words) => {
    stubApi({ ...files, "/sb/v1/backtest/j1": answer });
    await open();
    expect((await screen.findAllByText(words)).length).toBeGreaterThan(0);
  });
  it("says that nobody would have been paged", async () => {
    stubApi({ ...files, "/sb/v1/backtest/j1": job({ result: result(outcome("A", [], [])) }) });
    await open();
    expect(await screen.findByText("Nobody would have been paged.")).toBeTruthy();
    expect(screen.getByText(/the gate was not asked/)).toBeTruthy();
  });
  it("replays a copy with its documents and puts the job into the address", async () => {
    const calls = stubApi({
      ...files,
      "/sb/v1/backtest": job({ state: "running", progress: 0 }),
      "/sb/v1/backtest/j1": job({ result: result(a, b) }),
    });
    const { router } = await open("/backtest?start=now-6h");
    await userEvent.click(await screen.findByRole("button", { name: "Add documents to B" }));
    await userEvent.click(await screen.findByRole("menuitem", { name: "Copy the SLOs in force (1 file)" }));
    await userEvent.click(screen.getByRole("button", { name: "Replay A and B" }));
    await screen.findByRole("region", { name: "Replay under way" });
    const sent = JSON.parse(calls.find((call) => call.method === "POST")?.body ?? "{}");
    expect(sent.compare).toEqual({ slos: [{ name: "B/slos/edge.yaml", text: "kind: SLO" }] });
    expect(Date.parse(sent.end) - Date.parse(sent.start)).toBe(6 * 3_600_000);
    expect(router.state.location.search).toMatchObject({ job: "j1", start: sent.start, end: sent.end });
  });
  it("lists what cannot be read with document and line", async () => {
    stubApi({
      ...files,
      "/sb/v1/backtest": apiError(400, "bad_request", "B/slos/edge.yaml:3: metadata.name: must be given"),
    });
    await open("/backtest");
    await userEvent.click(await screen.findByRole("button", { name: "Add documents to B" }));
    await userEvent.click(await screen.findByRole("menuitem", { name: /^Copy the SLOs/ }));
    await userEvent.click(screen.getByRole("button", { name: "Replay A and B" }));
    expect(await screen.findByRole("button", { name: "B: edge.yaml, line 3" })).toBeTruthy();
    expect(screen.getByText("SLOs, cannot be read")).toBeTruthy();
  });
  it("says that one runs at a time", async () => {
    stubApi({ ...files, "/sb/v1/backtest": apiError(429, "overloaded", "busy") });
    await open("/backtest");
    await userEvent.click(await screen.findByRole("button", { name: "Replay A" }));
    expect((await screen.findByRole("alert")).textContent).toContain("Another backtest is running");
  });
});
