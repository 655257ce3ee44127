import { screen, waitFor } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { describe, expect, it } from "vitest";
import type { PolicyView } from "~/api/types";
import { renderPage, stubApi } from "~/test/render";
import { decision, policyRules } from "~/test/samples";
import { GatePage, gateAnswer } from "./GatePage";

const standing = (service: string, band: string) => ({
  slo: `${service}-ok`,
  service,
  band,
  policy: "p",
  used_ratio: 0.8,
});
const view = {
  summary: "",
  default: policyRules({}),
  policies: [],
  frozen: [],
  promises: [standing("file-server", "critical-fixes-only"), standing("layout", "normal")],
};
const base = {
  "/sb/v1/services": { services: [{ service: "edge" }, { service: "layout" }] },
  "/sb/v1/slos": { slos: [], summary: "", time: "" },
  "/sb/v1/gate/policies": view,
  "/sb/v1/deploys": {
    deploys: [
      { service: "layout", environment: "prod", version: "3.1.0", time: "2026-11-21T13:00:00Z" },
      { service: "layout", environment: "prod", version: "3.0.9", time: "2026-11-21T12:00:00Z" },
    ],
  },
};

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

  it("answers by the budgets, not by whoever asked last about anything", async () => {
    const typo = decision({
      request: { service: "egde" },
      summary: "Not enough data: no SLO.",
      verdict: "insufficient",
    });
    stubApi({ ...base, "/sb/v1/gate/decisions": { decisions: [typo], next: "" } });
    await renderPage(<GatePage />, { url: "/gate", path: "/gate" });
    expect(
      await screen.findByRole("heading", { level: 1, name: /^file-server is open to critical fixes only/ }),
    ).toBeTruthy();
  });

  it("says first what burns, whatever its band", () => {
    const { answer, tone } = gateAnswer(undefined, [], view as unknown as PolicyView, ["edge"]);
    expect(answer).toMatch(
      /^edge burns now: ask before a deployment; file-server is open to critical fixes only/,
    );
    expect(tone).toBe("danger");
  });

  it("says of a service that it is not known", async () => {
    stubApi({ ...base, "/sb/v1/gate/decisions": { decisions: [], next: "" } });
    await renderPage(<GatePage />, { url: "/gate?service=egde", path: "/gate" });
    expect(await screen.findByText(/No service egde was seen/)).toBeTruthy();
    expect(
      screen.getByRole("heading", {
        level: 1,
        name: "No SLO is known for egde: the gate has nothing to go by.",
      }),
    ).toBeTruthy();
  });

  it("says how to ask from a pipeline when nobody has", async () => {
    stubApi({ ...base, "/sb/v1/gate/decisions": { decisions: [], next: "" } });
    await renderPage(<GatePage />, { url: "/gate", path: "/gate" });
    expect(await screen.findByText("No decision was made yet.")).toBeTruthy();
    expect(screen.getByText(/signalbox gate check/)).toBeTruthy();
  });
});
