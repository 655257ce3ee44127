import { screen, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { describe, expect, it } from "vitest";
import type { RunbookBlock } from "~/api/types";
import { CatalogPage } from "~/pages/catalog/CatalogPage";
import { renderPage, stubApi } from "~/test/render";
import { safeHref } from "./Blocks";
import { RunbookPage } from "./RunbookPage";
import { RunbooksPage } from "./RunbooksPage";

const head = {
  name: "edge-5xx",
  title: "Edge fails",
  severity: "P0",
  alerts: ["HighErrorRate"],
  services: ["edge"],
  reviewed: "2026-01-01",
  review_every_days: 92,
  due: "2026-04-03",
  overdue: true,
};

const blocks: RunbookBlock[] = [
  { kind: "heading", level: 2, spans: [{ text: "Steps" }] },
  {
    kind: "paragraph",
    spans: [
      { text: "<img src=x onerror=alert(1)>" },
      { text: "go", href: "javascript:alert(1)" },
      { text: "there", href: "/slos" },
    ],
  },
  { kind: "list", ordered: true, items: [[{ kind: "query", language: "logs", text: "level:error" }]] },
  { kind: "code", language: "bash", text: "kubectl get pods\n" },
  { kind: "table", rows: [[[{ text: "a" }]], [[{ text: "b", strong: true }]]] },
];

describe("a runbook", () => {
  it("is shown as text, and its queries run where they stand", async () => {
    const calls = stubApi({
      "/sb/v1/runbooks/edge-5xx": { ...head, blocks },
      "/sb/v1/logs": {
        logs: [
          {
            timestamp: "2026-01-01T00:00:00Z",
            service: "edge",
            level: "error",
            message: "it broke",
            span_id: "",
          },
        ],
        took_ms: 1,
        truncated: false,
      },
    });
    await renderPage(<RunbookPage />, { url: "/runbooks/edge-5xx", path: "/runbooks/$name" });
    expect(await screen.findByText(/P0: Edge fails; its review was due on 2026-04-03/)).toBeTruthy();
    expect(screen.getByText("<img src=x onerror=alert(1)>")).toBeTruthy();
    expect(document.querySelector("main img")).toBeNull();
    expect(screen.getByText("go").closest("a")).toBeNull();
    expect(screen.getByText("there").closest("a")?.getAttribute("href")).toBe("/slos");
    expect(screen.queryByText("it broke")).toBeNull();
    await userEvent.click(screen.getByRole("button", { name: "Run" }));
    expect(await screen.findByText("it broke")).toBeTruthy();
    expect(JSON.stringify(calls)).toContain("logs");
  });
  it("leads nowhere else", () => {
    for (const bad of [
      "javascript:alert(1)",
      "//evil.example.com",
      "/\\evil",
      "data:text/html,x",
      " https://x",
      "https:evil",
    ])
      expect(safeHref(bad), bad).toBeUndefined();
    for (const good of ["https://a.example/x", "http://a", "/slos", "/runbooks/a-b"])
      expect(safeHref(good)).toBe(good);
  });
  it("is listed with what is overdue", async () => {
    stubApi({ "/sb/v1/runbooks": { summary: "1 of 1 to be reviewed.", runbooks: [head] } });
    await renderPage(<RunbooksPage />, { url: "/runbooks", path: "/runbooks" });
    const table = await screen.findByRole("table", { name: "Runbooks" });
    expect(within(table).getByText(/overdue since 2026-04-03/)).toBeTruthy();
  });
});

describe("the catalogue", () => {
  it("says whose services are and what they lack", async () => {
    stubApi({
      "/sb/v1/catalog": {
        summary: "1 service; nobody owns 1, gaps in 1.",
        services: [
          {
            service: "edge",
            kind: "service",
            contact: {},
            telemetry: ["edge"],
            runbooks: [],
            depends_on: [],
            gaps: [],
          },
        ],
        teams: [],
      },
      "/sb/v1/catalog/gaps": {
        summary: "1 gap in 1 of 1 service.",
        gaps: [{ service: "edge", gap: "no_owner", text: "nobody owns edge", cure: "name its team" }],
        excused: [],
      },
    });
    await renderPage(<CatalogPage />, { url: "/catalog", path: "/catalog" });
    const table = await screen.findByRole("table", { name: "Catalogue" });
    expect(within(table).getByText("nobody")).toBeTruthy();
    const gaps = await screen.findByRole("table", { name: "Gaps" });
    expect(within(gaps).getByText("name its team")).toBeTruthy();
  });
});
