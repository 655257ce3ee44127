import { screen, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { describe, expect, it } from "vitest";
import type { Span, TraceDetail } from "~/api/types";
import { apiError, renderPage, stubApi } from "~/test/render";
import { TracePage } from "./TracePage";

const id = "4bf92f3577b34da6a3ce929d0e0e4736";
const start = 1_795_269_600_000_000_000n;

function span(
  name: string,
  parent: string,
  offsetMs: number,
  durationMs: number,
  more: Partial<Span> = {},
): Span {
  return {
    trace_id: id,
    span_id: name,
    parent_span_id: parent,
    name,
    kind: "server",
    start: "2026-11-21T14:00:00Z",
    start_unix_nano: String(start + BigInt(offsetMs) * 1_000_000n),
    duration_ns: durationMs * 1e6,
    status: "unset",
    service: "edge",
    resource: { service: "edge", version: "2.4.1" },
    ...more,
  };
}

const trace: TraceDetail = {
  trace_id: id,
  start: "2026-11-21T14:00:00Z",
  duration_ns: 812e6,
  summary: "812 ms, 640 of them waiting for file-server.",
  services: [{ service: "edge", spans: 3, errors: 1 }],
  spans: [
    span("root", "", 0, 812),
    span("child", "root", 10, 640, {
      status: "error",
      status_message: "connection reset",
      attributes: { "http.route": "/files" },
      events: [
        { name: "exception", time_unix_nano: Number(start), attributes: { "exception.type": "IOError" } },
      ],
      links: [{ trace_id: "a".repeat(32), span_id: "b".repeat(16) }],
    }),
    span("grandchild", "child", 20, 5),
  ],
};

const noLogs = { "/sb/v1/logs": { logs: [], truncated: false, took_ms: 1 } };
const place = (search = "") => ({ url: `/traces/${id}${search}`, path: "/traces/$id" });

describe("the trace page", () => {
  it("says where the time went and shows the spans as a tree", async () => {
    stubApi({ ...noLogs, [`/sb/v1/traces/${id}`]: trace });
    await renderPage(<TracePage />, place());
    expect(await screen.findByRole("heading", { level: 1, name: trace.summary })).toBeTruthy();
    const levels = screen.getAllByRole("treeitem").map((item) => item.getAttribute("aria-level"));
    expect(levels).toEqual(["1", "2", "3"]);
  });

  it("folds by the arrow keys and finds what is folded", async () => {
    stubApi({ ...noLogs, [`/sb/v1/traces/${id}`]: trace });
    await renderPage(<TracePage />, place());
    const [root] = await screen.findAllByRole("treeitem");
    root?.focus();
    await userEvent.keyboard("{ArrowLeft}");
    expect(screen.getAllByRole("treeitem")).toHaveLength(1);
    await userEvent.type(screen.getByRole("textbox", { name: "Find a span" }), "grandchild{Enter}");
    expect(screen.getAllByRole("treeitem")).toHaveLength(3);
    expect(await screen.findByRole("region", { name: "Span grandchild" })).toBeTruthy();
  });

  it("shows the span that the address names with its error, events, links and logs", async () => {
    stubApi({ ...noLogs, [`/sb/v1/traces/${id}`]: trace });
    await renderPage(<TracePage />, place("?span=child"));
    const details = await screen.findByRole("region", { name: "Span child" });
    expect(within(details).getByText(/connection reset/)).toBeTruthy();
    expect(within(details).getByText(/640 ms, of which 635 ms in itself/)).toBeTruthy();
    expect(within(details).getByText("IOError")).toBeTruthy();
    expect(within(details).getByRole("link", { name: /^Trace aaaa/ })).toBeTruthy();
    expect(within(details).getByRole("link", { name: "Logs of this span" }).getAttribute("href")).toContain(
      "span_id:child",
    );
  });

  it("says what may be the matter when the trace is not there", async () => {
    stubApi({ ...noLogs, [`/sb/v1/traces/${id}`]: apiError(404, "not_found", "no span of this trace") });
    await renderPage(<TracePage />, place());
    expect((await screen.findByRole("alert")).textContent).toContain("older than the retention");
  });
});
