import { screen } from "@testing-library/react";
import { expect, it } from "vitest";
import type { Edge, ServiceDetail } from "~/api/types";
import { renderPage } from "~/test/render";
import { Dependencies } from "./Dependencies";

const edge = (change: Partial<Edge>): Edge => ({
  client: "layout",
  server: "files",
  kind: "call",
  calls: 12,
  errors: 0,
  mean_seconds: 0.02,
  ...change,
});

it("names another team's service without a link and without figures", async () => {
  const service = {
    service: "layout",
    depends_on: [edge({}), edge({ server: "hidden: team trade", calls: 0, mean_seconds: 0, hidden: true })],
    used_by: [],
  } as unknown as ServiceDetail;
  await renderPage(<Dependencies service={service} />);
  const hidden = screen.getByText("hidden: team trade");
  expect(hidden.closest("a")).toBeNull();
  expect(hidden.closest("tr")?.textContent).not.toMatch(/\d/);
  expect(screen.getByText("files").closest("a")).not.toBeNull();
});
