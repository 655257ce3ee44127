import { screen, waitFor } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { describe, expect, it } from "vitest";
import { renderPage, stubApi } from "~/test/render";
import { TimeRangeControl } from "./TimeRangeControl";

const at = (router: { state: { location: { searchStr: string } } }) => router.state.location.searchStr;

describe("the time range control", () => {
  it("says the range and puts a preset into the address", async () => {
    stubApi({});
    const { router } = await renderPage(<TimeRangeControl />);
    await userEvent.click(screen.getByRole("button", { name: /Last 1 h/ }));
    await userEvent.click(await screen.findByRole("button", { name: "Last 7 d" }));
    await waitFor(() => expect(at(router)).toBe("?last=7d"));
    expect(screen.getByRole("button", { name: /Last 7 d/ })).toBeTruthy();
  });
  it("shows an absolute range and has no live mode then", async () => {
    await renderPage(<TimeRangeControl />, {
      url: "/?from=2026-11-21T13:00:00Z&to=2026-11-21T14:00:00Z&tz=utc",
    });
    expect(screen.getByText("21 Nov 13:00 – 14:00")).toBeTruthy();
    expect(screen.getByText("UTC")).toBeTruthy();
    expect(screen.queryByRole("button", { name: "Live mode" })).toBeNull();
  });
  it("turns live mode on and off, and an earlier range ends it", async () => {
    const { router } = await renderPage(<TimeRangeControl />);
    await userEvent.click(screen.getByRole("button", { name: "Live mode" }));
    await waitFor(() => expect(at(router)).toBe("?live=1"));
    await userEvent.click(screen.getByRole("button", { name: "Earlier" }));
    await waitFor(() => expect(at(router)).toMatch(/^\?from=.*&to=/));
    expect(at(router)).not.toContain("live");
  });
});
