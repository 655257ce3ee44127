import { screen, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { describe, expect, it } from "vitest";
import type { OnCallSchedule, Swap } from "~/api/types";
import { renderPage, stubApi } from "~/test/render";
import { Swaps } from "./Swaps";

const schedules: OnCallSchedule[] = [
  {
    name: "edge",
    time_zone: "UTC",
    people: [{ name: "ada", shown: "Ada L." }, { name: "kim" }],
  },
];

const swap: Swap = {
  id: "s-1",
  state: "proposed",
  schedule: "edge",
  from: "ada",
  to: "kim",
  start: "2030-12-23T08:00:00Z",
  end: "2030-12-30T08:00:00Z",
  created: "2030-12-01T08:00:00Z",
  notes: ["kim is on call by nights then"],
  told: "kim by email",
};

const open = () =>
  renderPage(<Swaps schedules={schedules} />, {
    url: "/oncall",
    path: "/oncall",
  });

describe("swaps of shifts", () => {
  it("are listed and accepted by who is asked", async () => {
    localStorage.setItem("signalbox.who", "kim");
    const calls = stubApi({
      "/sb/v1/oncall/swaps": { swaps: [swap] },
      "/sb/v1/oncall/swaps/s-1/answer": { ...swap, state: "accepted" },
    });
    await open();
    const table = await screen.findByRole("table", { name: "Swaps of shifts" });
    expect(within(table).getByText("ada → kim")).toBeTruthy();
    expect(within(table).getByText(/kim is on call by nights then; told: kim by email/)).toBeTruthy();
    await userEvent.click(within(table).getByRole("button", { name: "Accept" }));
    const sent = calls.find((one) => one.path.endsWith("/answer"));
    expect(JSON.parse(sent?.body ?? "")).toEqual({ answer: "accept", by: "kim" });
  });
  it("are proposed for a whole shift", async () => {
    localStorage.setItem("signalbox.who", "ada");
    const calls = stubApi({
      "/sb/v1/oncall/swaps": { swaps: [] },
      "/sb/v1/oncall/schedules/edge/shifts": {
        shifts: [
          {
            schedule: "edge",
            person: { name: "ada", shown: "Ada L." },
            start: swap.start,
            end: swap.end,
          },
        ],
      },
    });
    await open();
    expect(await screen.findByText("Nobody asks anybody to take a shift.")).toBeTruthy();
    await userEvent.click(screen.getByRole("combobox", { name: "Schedule" }));
    await userEvent.click(await screen.findByRole("option", { name: "edge" }));
    await userEvent.click(screen.getByRole("combobox", { name: "Shift" }));
    await userEvent.click(await screen.findByRole("option", { name: /^Ada L\., / }));
    await userEvent.click(screen.getByRole("combobox", { name: "Ask" }));
    await userEvent.click(await screen.findByRole("option", { name: "kim" }));
    await userEvent.click(screen.getByRole("button", { name: "Propose the swap" }));
    const sent = calls.find((one) => one.method === "POST");
    expect(JSON.parse(sent?.body ?? "")).toEqual({
      schedule: "edge",
      from: "ada",
      to: "kim",
      start: swap.start,
      end: swap.end,
      reason: "",
      by: "ada",
    });
  });
});
