import { screen, waitFor } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { describe, expect, it, vi } from "vitest";
import { ApiError } from "~/api/client";
import { apiError, renderPage, stubApi } from "~/test/render";
import { histogramChart, histogramTotal } from "./EventHistogram";
import { FieldSidebar } from "./FieldSidebar";
import { FilterError } from "./FilterError";
import { SearchBox } from "./SearchBox";

const values = {
  values: [
    { value: "edge", count: 40 },
    { value: "layout", count: 4 },
  ],
};

describe("the search box", () => {
  it("asks on Enter with what was typed", async () => {
    stubApi({ "/sb/v1/logs/fields": { fields: [] } });
    const onSubmit = vi.fn();
    await renderPage(<SearchBox kind="logs" label="Search" placeholder="" value="" onSubmit={onSubmit} />);
    await userEvent.type(screen.getByRole("textbox", { name: "Search" }), "level:error {Enter}");
    expect(onSubmit).toHaveBeenCalledWith("level:error");
  });
  it("suggests fields, then the field's values", async () => {
    stubApi({ "/sb/v1/logs/fields": { fields: ["service", "span_id"] }, "/sb/v1/logs/values": values });
    await renderPage(<SearchBox kind="logs" label="Search" placeholder="" value="" onSubmit={() => {}} />);
    const box = screen.getByRole("textbox", { name: "Search" }) as HTMLInputElement;
    await userEvent.type(box, "serv");
    await userEvent.click(await screen.findByRole("option", { name: "service:" }));
    expect(box.value).toBe("service:");
    await userEvent.type(box, "ed");
    await userEvent.click(await screen.findByRole("option", { name: "edge" }));
    expect(box.value).toBe("service:edge ");
  });
});

describe("the field sidebar", () => {
  it("opens a field to its values, most frequent first, and filters by one", async () => {
    stubApi({
      "/sb/v1/logs/fields": { fields: ["service", "level", "service"] },
      "/sb/v1/logs/values": values,
    });
    const onQuery = vi.fn();
    await renderPage(<FieldSidebar kind="logs" q="NOT service:layout" onQuery={onQuery} />);
    const field = await screen.findByRole("button", { name: "service" });
    await userEvent.click(field);
    await userEvent.click(await screen.findByRole("button", { name: /^edge/ }));
    expect(onQuery).toHaveBeenLastCalledWith("NOT service:layout service:edge");
    const excluded = screen.getByRole("button", { name: "Everything but service layout" });
    expect(excluded.getAttribute("aria-pressed")).toBe("true");
    await userEvent.click(excluded);
    expect(onQuery).toHaveBeenLastCalledWith("");
  });
  it("leaves a filter's error to the page", async () => {
    stubApi({ "/sb/v1/logs/fields": apiError(400, "bad_filter", "no") });
    await renderPage(<FieldSidebar kind="logs" q="(" onQuery={() => {}} />);
    await waitFor(() => expect(screen.queryByRole("alert")).toBeNull());
  });
});

describe("a filter that cannot be read", () => {
  it("has a caret under the place, counted in characters although the server counts bytes", async () => {
    const error = new ApiError("expected a value", 400, "bad_filter", { position: 4, hint: "Write a:1." });
    await renderPage(<FilterError what="the logs" query="üb:" error={error} onRetry={() => {}} />);
    expect(screen.getByRole("alert").querySelector("pre")?.textContent).toBe("üb:\n   ^");
    expect(screen.getByText(/Write a:1\./)).toBeTruthy();
  });
});

describe("a histogram", () => {
  const histogram = {
    start: "1970-01-01T00:01:40Z",
    step_seconds: 10,
    took_ms: 1,
    series: [
      { value: "error", counts: [1, 2] },
      { value: "info", counts: [5, 5] },
    ],
  };
  it("puts the worst level at the bottom and keeps the times", () => {
    const chart = histogramChart(histogram);
    expect(chart.x).toEqual([100, 110]);
    expect(chart.series.map((one) => one.label)).toEqual(["info", "error"]);
    expect(histogramTotal(histogram)).toBe(13);
  });
});
