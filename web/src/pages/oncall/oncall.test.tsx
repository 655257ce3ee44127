import { screen, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { describe, expect, it } from "vitest";
import type { OnCallSchedule, Shift } from "~/api/types";
import { apiError, renderPage, stubApi } from "~/test/render";
import { OnCallPage } from "./OnCallPage";
import { blocksOf } from "./oncall";

const hour = 3_600_000;
const begin = Date.parse("2026-03-24T00:00:00Z");
const at = (hours: number) => new Date(begin + hours * hour).toISOString();

function shift(name: string, from: number, to: number): Shift {
  return { schedule: "edge", person: { name }, start: at(from), end: at(to), layer: "week" };
}

function schedule(change: Partial<OnCallSchedule>): OnCallSchedule {
  return {
    name: "edge",
    team: "edge",
    time_zone: "Europe/Berlin",
    people: [],
    now: { ...shift("ada", 0, 24), person: { name: "ada", shown: "Ada L." } },
    next: shift("kim", 24, 48),
    ...change,
  };
}

const open = () => renderPage(<OnCallPage />, { url: "/oncall", path: "/oncall" });

describe("shifts side by side", () => {
  it("are cut to the span, with the gaps between them", () => {
    const blocks = blocksOf([shift("ada", -5, 6), shift("kim", 12, 30)], begin, begin + 24 * hour);
    expect(blocks.map(({ shift: one, from, size }) => [one?.person.name, from, size])).toEqual([
      ["ada", 0, 0.25],
      [undefined, 0.25, 0.25],
      ["kim", 0.5, 0.5],
    ]);
  });
  it("are one gap without any", () => {
    expect(blocksOf([], begin, begin + hour)).toEqual([{ from: 0, size: 1 }]);
  });
});

describe("who is on call", () => {
  it("is said for each schedule, with who is next and the gaps", async () => {
    stubApi({
      "/sb/v1/oncall": {
        summary: "1 of 2 schedules has nobody on call.",
        schedules: [schedule({}), { name: "nights", time_zone: "UTC", people: [] }],
      },
      "/sb/v1/oncall/coverage": {
        start: at(0),
        end: at(720),
        covered: false,
        schedules: [
          { schedule: "edge", time_zone: "Europe/Berlin", gaps: [] },
          { schedule: "nights", time_zone: "UTC", gaps: [{ start: at(8), end: at(20) }] },
        ],
      },
      "/sb/v1/oncall/schedules/edge/shifts": { shifts: [shift("ada", 0, 24)] },
      "/sb/v1/oncall/schedules/nights/shifts": { shifts: [] },
    });
    await open();
    expect(await screen.findByText("1 of 2 schedules has nobody on call.")).toBeTruthy();
    const now = await screen.findByRole("table", { name: "Who is on call" });
    expect(within(now).getByText("Ada L.")).toBeTruthy();
    expect(within(now).getByText("nobody")).toBeTruthy();
    const gaps = await screen.findByRole("table", { name: "When nobody is on call" });
    expect(within(gaps).getByText("nights")).toBeTruthy();
    expect(within(gaps).getByText("12 h")).toBeTruthy();
    const strip = await screen.findByRole("list", { name: "Shifts of nights" });
    expect(within(strip).getByText("nobody")).toBeTruthy();
  });
  it("says no end that is not known", async () => {
    const alone = { person: { name: "lee" }, schedule: "edge", no_change_before: at(960) };
    stubApi({
      "/sb/v1/oncall": {
        summary: "Every schedule has somebody on call (1).",
        schedules: [{ name: "edge", time_zone: "UTC", people: [], now: alone }],
      },
    });
    await open();
    const now = await screen.findByRole("table", { name: "Who is on call" });
    const until = within(now).getByText(/no change before/);
    expect(until.querySelector("time")?.dateTime).toBe(at(960));
  });
  it("says how to begin without a schedule", async () => {
    stubApi({ "/sb/v1/oncall": { summary: "There is no on-call schedule yet.", schedules: [] } });
    await open();
    expect(await screen.findByText(/oncall_files: \[oncall/)).toBeTruthy();
  });
  it("says why it is not known", async () => {
    stubApi({ "/sb/v1/oncall": apiError(503, "overloaded", "busy") });
    await open();
    expect((await screen.findByRole("alert")).textContent).toContain("busy");
  });
});

describe("a calendar", () => {
  it("gets an address with a token that shows who is on call and nothing else", async () => {
    const calls = stubApi({
      "/sb/v1/me": {
        subject: "user:ada",
        name: "Ada",
        kind: "user",
        groups: [],
        tenant: "acme",
        permissions: [{ permission: "tokens.own", allowed: true }],
      },
      "/sb/v1/oncall": {
        summary: "",
        schedules: [schedule({ people: [{ name: "ada" }, { name: "kim", shown: "Kim B." }] })],
      },
      "/sb/v1/oncall/coverage": { start: at(0), end: at(720), covered: true, schedules: [] },
      "/sb/v1/oncall/schedules/edge/shifts": { shifts: [] },
      "/sb/v1/tokens": { text: "sbx_text", token: {} },
    });
    await open();
    await userEvent.click(await screen.findByRole("combobox", { name: "Turns of" }));
    await userEvent.click(await screen.findByRole("option", { name: "Kim B." }));
    await userEvent.click(screen.getByRole("button", { name: "Make an address" }));
    expect(await screen.findByText(/calendar\.ics\?person=kim&token=sbx_text$/)).toBeTruthy();
    expect(JSON.parse(calls.find((one) => one.path === "/sb/v1/tokens")?.body ?? "")).toEqual({
      name: "calendar of kim",
      grants: [{ role: "calendar", tenants: ["acme"] }],
      lifetime: "365d",
    });
  });
});

describe("who bears what", () => {
  it("is a table of turns, nights, weekends and pages", async () => {
    const person = {
      person: { name: "ada", shown: "Ada L." },
      time_zone: "UTC",
      turns: 6,
      hours: 1008,
      share: 0.5,
    };
    stubApi({
      "/sb/v1/oncall": { summary: "", schedules: [schedule({})] },
      "/sb/v1/oncall/coverage": { start: at(0), end: at(720), covered: true, schedules: [] },
      "/sb/v1/oncall/schedules/edge/shifts": { shifts: [] },
      "/sb/v1/oncall/fairness": {
        start: at(-2160),
        end: at(0),
        goal_pages_per_week: 2,
        people: [
          {
            ...person,
            night_hours: 378,
            weekend_hours: 288,
            holiday_hours: 0,
            pages: {
              count: 15,
              per_week: 2.5,
              over_goal: true,
              night: 4,
              weekend: 3,
              by_itself: 9,
              weeks: [
                { monday: "2026-01-05", count: 3 },
                { monday: "2026-02-02", count: 12 },
              ],
            },
          },
        ],
      },
    });
    await open();
    const table = await screen.findByRole("table", { name: "Who bears what" });
    const row = within(await within(table).findByRole("row", { name: /Ada L\./ }));
    expect(row.getAllByRole("cell").map((cell) => cell.textContent)).toEqual([
      "Ada L.",
      "6",
      "1,008 h",
      "50 %",
      "378 h",
      "288 h",
      "–",
      "15",
      "2.5",
      "12",
      "4",
    ]);
  });
});
