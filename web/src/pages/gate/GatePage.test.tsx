import { screen, waitFor } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { describe, expect, it } from "vitest";
import { renderPage, stubApi } from "~/test/render";
import { decision } from "~/test/samples";
import { GatePage } from "./GatePage";

const base = { "/sb/v1/services": { services: [] }, "/sb/v1/slos": { slos: [], summary: "", time: "" } };

describe("the gate", () => {
  it("answers with the newest decision and links each evidence to its figures at that time", async () => {
    stubApi({
      ...base,
      "/sb/v1/gate/decisions": { decisions: [decision({})], next: "" },
      "/sb/v1/gate": decision({ id: "g2" }),
    });
    await renderPage(<GatePage />, { url: "/gate?service=edge", path: "/gate" });
    expect(await screen.findByRole("heading", { level: 1, name: /edge 2.4.2: Blocked/ })).toBeTruthy();
    await userEvent.click(screen.getByRole("button", { name: "Ask the gate" }));
    const link = await screen.findByRole("link", { name: "Open in Metrics" });
    expect(link.getAttribute("href")).toContain("expr=burn");
    expect(link.getAttribute("href")).toContain("from=2026-11-21T13:00:00Z");
  });

  it("asks exactly what was filled in", async () => {
    const calls = stubApi({
      ...base,
      "/sb/v1/gate/decisions": { decisions: [], next: "" },
      "/sb/v1/gate": decision({}),
    });
    await renderPage(<GatePage />, { url: "/gate?service=edge&version=2.4.3", path: "/gate" });
    await userEvent.click(await screen.findByRole("switch", { name: /Critical fix/ }));
    await userEvent.click(screen.getByRole("button", { name: "Ask the gate" }));
    await waitFor(() => expect(calls.some((call) => call.path === "/sb/v1/gate")).toBe(true));
    const body = JSON.parse(calls.find((call) => call.path === "/sb/v1/gate")?.body ?? "{}");
    expect(body).toMatchObject({ service: "edge", version: "2.4.3", critical: true });
  });

  it("says how to ask from a pipeline when nobody has", async () => {
    stubApi({ ...base, "/sb/v1/gate/decisions": { decisions: [], next: "" } });
    await renderPage(<GatePage />, { url: "/gate", path: "/gate" });
    expect(await screen.findByText("Nobody has asked the gate yet.")).toBeTruthy();
    expect(screen.getByText(/signalbox gate check/)).toBeTruthy();
  });
});
