import { screen, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { describe, expect, it } from "vitest";
import { apiError, renderPage, stubApi } from "~/test/render";
import { IncidentPage } from "./IncidentPage";
import { incident, timeline } from "./samples";

const similar = [
  {
    id: "i0",
    title: "Ports ran out",
    time: "2026-10-01T00:00:00Z",
    severity: "P1",
    score: 0.42,
    common: ["service edge"],
    root_cause: "A public endpoint.",
  },
];
const answers = (one = incident()) => ({
  "/sb/v1/incidents/i1": { incident: one, similar },
  "/sb/v1/incidents/i1/timeline": timeline,
});
const open = (url = "/incidents/i1") => renderPage(<IncidentPage />, { url, path: "/incidents/$id" });

describe("an incident", () => {
  it("says what happened and who has it, with roles, times and their meaning", async () => {
    stubApi(answers());
    await open();
    expect(await screen.findByText(/^Edge fails \(P1\), open since .*; Ana leads it\.$/)).toBeTruthy();
    expect(screen.getByText("1 m 30 s after the start: the first delivery of its first page")).toBeTruthy();
    expect(screen.getByText("users may still feel it")).toBeTruthy();
    const about = screen.getByRole("region", { name: "About it" });
    expect(within(about).getByText("Ana")).toBeTruthy();
    expect(within(about).getByRole("link", { name: "edge" }).getAttribute("href")).toBe("/services/edge");
  });
  it("lists what happened with its sources, the newest first, and what is left out", async () => {
    stubApi(answers());
    await open();
    const list = await screen.findByRole("list", { name: "Timeline" });
    const rows = within(list).getAllByRole("listitem");
    expect(rows.map((row) => row.textContent)).toEqual([
      expect.stringMatching(/Update.*We roll back\. Ana$/),
      expect.stringMatching(/Page.*Edge fails 12 % of requests/),
      expect.stringMatching(/Deployment.*deploy of edge 2\.4\.1/),
    ]);
    expect(within(list).getByRole("link", { name: "Page" }).getAttribute("href")).toBe("/alerts?open=p1");
    expect(within(list).getByRole("link", { name: "Deployment" }).getAttribute("href")).toBe(
      "/services/edge",
    );
    expect(screen.getByText(/^Not here: silences/)).toBeTruthy();
  });
  it("shows one kind of source where the address says so", async () => {
    stubApi(answers());
    await open("/incidents/i1?kind=deploy");
    const list = await screen.findByRole("list", { name: "Timeline" });
    expect(within(list).getAllByRole("listitem")).toHaveLength(1);
    expect(screen.getByText("1 of 3, the newest first.")).toBeTruthy();
  });
  it("leads a source to no address that runs as code", async () => {
    const [deploy] = timeline.entries;
    const bad = { ...deploy, source: { kind: "deploy", id: "d", link: "javascript:alert(1)" } };
    stubApi({ ...answers(), "/sb/v1/incidents/i1/timeline": { entries: [bad] } });
    await open();
    const list = await screen.findByRole("list", { name: "Timeline" });
    expect(within(list).getByText("Deployment").closest("a")).toBeNull();
  });
  it("names its pages with why they belong to it, and similar incidents with their cause", async () => {
    stubApi(answers());
    await open();
    const pages = await screen.findByRole("table", { name: "Pages of this incident" });
    expect(within(pages).getByText("it opened it")).toBeTruthy();
    expect(within(pages).getByText(/^Ben/)).toBeTruthy();
    const past = screen.getByRole("table", { name: "Similar incidents" });
    expect(within(past).getByRole("link", { name: "Ports ran out" }).getAttribute("href")).toBe(
      "/incidents/i0",
    );
    expect(within(past).getByText("A public endpoint.")).toBeTruthy();
  });
  it("leads on from one that is part of another", async () => {
    stubApi(
      answers(incident({ status: "merged", origin: { by: "kim", namespaces: [], merged_into: "i2" } })),
    );
    await open();
    expect((await screen.findByRole("link", { name: "It is part of i2" })).getAttribute("href")).toBe(
      "/incidents/i2",
    );
  });
  it.each([
    [404, "not_found", "Could not load the incident."],
    [403, "forbidden", "You may not do this: the incident."],
  ])("says %d", async (status, code, words) => {
    stubApi({ "/sb/v1/incidents/i1": apiError(status, code, "no such incident") });
    await open();
    expect(await screen.findByText(words)).toBeTruthy();
    expect(screen.getByRole("heading", { level: 1 }).textContent).toBe("It is not known what happened.");
  });
  it("shows one kind at the click of a reader", async () => {
    stubApi(answers());
    const { router } = await open();
    await userEvent.click(await screen.findByRole("combobox", { name: "Kind of source" }));
    await userEvent.click(await screen.findByRole("option", { name: "Page" }));
    expect(router.state.location.search).toMatchObject({ kind: "page" });
  });
});
