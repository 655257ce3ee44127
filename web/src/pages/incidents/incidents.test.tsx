import { screen, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { afterEach, describe, expect, it, vi } from "vitest";
import type { Incident } from "~/api/types";
import { apiError, type Call, renderPage, stubApi } from "~/test/render";
import { IncidentsPage } from "./IncidentsPage";
import { feltFor, incidentAnswer, listAnswer, meanWords, whoHas } from "./incidents";
import { incident } from "./samples";

const now = Date.parse("2026-11-21T14:25:00Z");
const over: Partial<Incident> = {
  status: "resolved",
  times: {
    started: "2026-11-21T14:00:00Z",
    detected: "2026-11-21T14:01:30Z",
    mitigated: "2026-11-21T14:18:00Z",
    resolved: "2026-11-21T14:50:00Z",
  },
};

describe("the answer about incidents", () => {
  it("says that none is open", () => {
    expect(listAnswer([], "utc", now)).toBe("No incident is open.");
  });
  it("names the worst that is open, since when and who has it, and counts the others", () => {
    const list = [
      incident({ severity: "P2", title: "Slow" }),
      incident(),
      incident({ status: "mitigated", severity: "P0" }),
    ];
    expect(listAnswer(list, "utc", now)).toBe(
      "Edge fails (P1), open since 14:00, 25 m; Ana leads it. 2 others go on.",
    );
  });
  it.each<[string, Partial<Incident>, string]>([
    ["leads", {}, "Ana leads it"],
    ["acknowledged", { roles: {} }, "Ben acknowledged it, nobody leads it yet"],
    ["nobody", { roles: {}, pages: { count: 0, firing: 0, alerts: 0, list: [] } }, "nobody has taken it yet"],
  ])("says who has it: %s", (_, change, words) => {
    expect(whoHas(incident(change))).toBe(words);
  });
  it("measures what users felt, not the paperwork", () => {
    expect(feltFor(incident(over), now)).toBe("18 m");
    expect(incidentAnswer(incident(over), "utc", now)).toBe(
      "Edge fails (P1), resolved at 14:50; users felt it for 18 m.",
    );
  });
  it("gives no figure where there is nothing to measure", () => {
    expect(meanWords(undefined)).toEqual({ value: "–", note: "nothing to measure" });
    expect(meanWords({ seconds: 90, median_seconds: 60, of: 4 }).note).toBe("median 1 m, of 4");
  });
});

const overdue = {
  overdue: [
    { incident: "i9", title: "Old", what: "postmortem", owner: "kim", due: "2026-11-01T00:00:00Z" },
    { incident: "i9", title: "Old", what: "Raise the limit", due: "2026-11-02T00:00:00Z" },
  ],
};
const figures = {
  periods: [
    {
      start: "2026-09-22T00:00:00Z",
      end: "2026-10-22T00:00:00Z",
      all: { incidents: 1, unacknowledged: 0, unrecovered: 0 },
      services: [],
    },
    {
      start: "2026-10-22T00:00:00Z",
      end: "2026-11-21T00:00:00Z",
      all: {
        incidents: 2,
        unacknowledged: 1,
        unrecovered: 1,
        mttd: { seconds: 90, median_seconds: 90, of: 2 },
      },
      services: [{ service: "edge", incidents: 2, unacknowledged: 1, unrecovered: 1 }],
    },
  ],
};

function answers(rows: readonly Incident[], next?: string) {
  return {
    "/sb/v1/incidents": ({ params, method }: Call) => {
      if (method === "POST") return incident({ id: "new" });
      const status = params.get("status");
      return {
        summary: "",
        incidents: rows.filter((one) => !status || one.status === status),
        next: status === "resolved" ? next : undefined,
      };
    },
    "/sb/v1/incidents/overdue": overdue,
    "/sb/v1/incidents/figures": figures,
  };
}

const open = (url = "/incidents") => renderPage(<IncidentsPage />, { url, path: "/incidents" });

afterEach(() => vi.unstubAllGlobals());

describe("the list of incidents", () => {
  it("shows those that go on before those that are over, what is overdue and the figures", async () => {
    stubApi(answers([incident({ id: "i2", title: "Past", ...over }), incident()]));
    await open();
    expect(await screen.findByText(/^Edge fails \(P1\), open since/)).toBeTruthy();
    const live = await screen.findByRole("table", { name: "Incidents that go on" });
    expect(within(live).getByRole("link", { name: "Edge fails." }).getAttribute("href")).toBe(
      "/incidents/i1",
    );
    expect(within(live).getByText("P1, open")).toBeTruthy();
    const past = await screen.findByRole("table", { name: "Incidents, resolved" });
    expect(within(past).getByText("18 m")).toBeTruthy();
    const late = await screen.findByRole("table", { name: "Overdue" });
    expect(within(late).getByText("Its postmortem")).toBeTruthy();
    expect(
      within(late)
        .getAllByRole("link")
        .map((link) => link.getAttribute("href")),
    ).toEqual(["/incidents/i9?tab=postmortem", "/incidents/i9?tab=actions"]);
    const table = await screen.findByRole("table", { name: "Figures by service" });
    expect(within(table).getByText("1 m 30 s")).toBeTruthy();
    expect(within(table).getAllByText("1 unacknowledged, 1 still open")).toHaveLength(2);
  });
  it("asks for what the address says, and for the page after a cursor", async () => {
    const calls = stubApi(answers([incident({ status: "merged" })]));
    await open("/incidents?status=merged&severity=P1&service=edge&q=ports&before=c1");
    await screen.findByRole("table", { name: "Incidents, merged" });
    const asked = calls.find((call) => call.params.get("status") === "merged");
    expect(Object.fromEntries(asked?.params ?? [])).toEqual({
      status: "merged",
      severity: "P1",
      service: "edge",
      q: "ports",
      before: "c1",
      limit: "50",
    });
    expect(screen.getByRole("link", { name: "Newest" }).getAttribute("href")).not.toContain("before");
  });
  it("does not ask for a state that there is not", async () => {
    const calls = stubApi(answers([incident()]));
    await open("/incidents?status=burning");
    await screen.findByRole("table", { name: "Incidents that go on" });
    expect(calls.some((call) => call.params.get("status") === "burning")).toBe(false);
  });
  it("leads to older ones, and keeps a filter in the address", async () => {
    stubApi(answers([incident(over)], "c2"));
    const { router } = await open();
    expect((await screen.findByRole("link", { name: "Older" })).getAttribute("href")).toContain("before=c2");
    await userEvent.type(screen.getByLabelText("Words in it"), "ports{Enter}");
    expect(router.state.location.search).toMatchObject({ q: "ports" });
  });
  it("says how to begin where there is none", async () => {
    stubApi(answers([]));
    await open();
    expect(await screen.findByText("No incident is resolved.")).toBeTruthy();
    expect(await screen.findByText(/^No incident is open\./)).toBeTruthy();
  });
  it("says why it is not known", async () => {
    stubApi({ "/sb/v1/incidents": apiError(403, "forbidden", "You may not: incidents.read.") });
    await open();
    expect((await screen.findAllByText("You may not: incidents.read.")).length).toBeGreaterThan(0);
    expect(await screen.findByText("It is not known whether something goes on.")).toBeTruthy();
  });
});

describe("opening an incident by hand", () => {
  it("sends what was written, in the name of who writes, and goes there", async () => {
    const calls = stubApi(answers([]));
    const { router } = await open();
    await userEvent.click(await screen.findByRole("button", { name: "Open an incident" }));
    await userEvent.type(screen.getByLabelText(/What goes wrong/), "Checkout is slow");
    await userEvent.type(screen.getByRole("combobox", { name: "Services" }), "checkout{Enter}");
    const who = screen.getByLabelText(/Your name/);
    await userEvent.clear(who);
    await userEvent.type(who, "kim");
    await userEvent.click(screen.getByRole("button", { name: "Open it" }));
    await vi.waitFor(() => expect(router.state.location.pathname).toBe("/incidents/new"));
    const sent = calls.find((call) => call.method === "POST");
    expect(JSON.parse(sent?.body ?? "")).toEqual({
      title: "Checkout is slow",
      severity: "P2",
      services: ["checkout"],
      by: "kim",
    });
  });
  it("is not offered to who may only read", async () => {
    const me = {
      subject: "u",
      name: "Uma",
      kind: "user",
      groups: [],
      tenant: "default",
      permissions: [{ permission: "incidents.read", allowed: true }],
    };
    stubApi({ ...answers([incident()]), "/sb/v1/me": me });
    await open();
    await screen.findByRole("table", { name: "Incidents that go on" });
    expect(screen.queryByRole("button", { name: "Open an incident" })).toBeNull();
  });
});
