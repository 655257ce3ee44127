import { screen, within } from "@testing-library/react";
import { describe, expect, it } from "vitest";
import { renderPage, stubApi } from "~/test/render";
import { Heartbeats } from "./Heartbeats";

describe("heartbeats", () => {
  it("are listed with their state and their last ping", async () => {
    const one = { every: "1h", grace: "6m", severity: "high" };
    stubApi({
      "/sb/v1/heartbeats": {
        heartbeats: [
          {
            ...one,
            name: "backup",
            state: "missed",
            summary: "It was pinged last at 2.",
            last: "2026-01-01T02:00:00Z",
            due: "2026-01-01T03:06:00Z",
          },
          { ...one, name: "cron", state: "new", summary: "It was never pinged." },
        ],
      },
    });
    await renderPage(<Heartbeats />);
    const table = await screen.findByRole("table", { name: "Heartbeats" });
    const row = within(await within(table).findByRole("row", { name: /backup/ }));
    expect(row.getByText("missed")).toBeTruthy();
    expect(row.getByText("It was pinged last at 2.")).toBeTruthy();
    expect(within(within(table).getByRole("row", { name: /cron/ })).getAllByText("–")).toHaveLength(2);
  });
});
