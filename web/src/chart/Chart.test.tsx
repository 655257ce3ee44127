import { screen, within } from "@testing-library/react";
import { beforeEach, describe, expect, it } from "vitest";
import { drawn } from "~/test/fakeUplot";
import { renderPage } from "~/test/render";
import { Chart } from "./Chart";
import { deployMarkers } from "./deployMarkers";

const data = {
  x: [100, 110, 120],
  series: [
    { label: "low", values: [1, null, 2] },
    { label: "high", values: [5, 9, 7] },
  ],
};

describe("a chart", () => {
  beforeEach(() => {
    drawn.length = 0;
  });
  it("has its figures in a legend, largest first, with last, min and max", async () => {
    await renderPage(<Chart title="Requests" data={data} unit="per_second" />);
    const rows = within(screen.getByRole("group", { name: "Legend of Requests" })).getAllByRole("row");
    expect(rows.slice(1).map((row) => row.textContent)).toEqual(["high7 /s5 /s9 /s", "low2 /s1 /s2 /s"]);
  });
  it("hands gaps to the drawing as gaps", async () => {
    await renderPage(<Chart title="Requests" data={data} unit="per_second" />);
    expect(drawn[drawn.length - 1]?.data[1]).toEqual([1, null, 2]);
  });
  it("is described in words", async () => {
    await renderPage(<Chart title="Requests" data={data} unit="per_second" />);
    expect(screen.getByRole("img").getAttribute("aria-label")).toContain(
      "high: last 7 /s, from 5 /s to 9 /s",
    );
  });
  it("says that there is no data", async () => {
    const blank = { x: [1], series: [{ label: "a", values: [null] }] };
    await renderPage(<Chart title="Requests" data={blank} unit="count" empty="Nothing was measured." />);
    expect(screen.getByText("Nothing was measured.")).toBeTruthy();
  });
  it("lists its deployments and example traces for those who do not see it", async () => {
    const markers = deployMarkers([
      {
        service: "edge",
        version: "2.4.1",
        time: "2026-11-21T14:00:00Z",
        kind: "deploy",
        status: "succeeded",
        actor: "ci",
      },
    ]);
    const exemplars = [{ time: 110, value: 3, traceId: "abc" }];
    await renderPage(
      <Chart title="Latency" data={data} unit="seconds" markers={markers} exemplars={exemplars} />,
    );
    expect(screen.getByText(/^2\.4\.1 at .* by ci, succeeded/)).toBeTruthy();
    expect(screen.getByText("1 example trace")).toBeTruthy();
    expect(screen.getByRole("link", { hidden: true }).getAttribute("href")).toContain("/traces/abc");
  });
});
