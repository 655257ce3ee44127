import { screen, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { beforeEach, describe, expect, it, vi } from "vitest";
import type { Incident } from "~/api/types";
import { apiError, type Call, renderPage, stubApi } from "~/test/render";
import { IncidentPage } from "./IncidentPage";
import { incident, timeline } from "./samples";

beforeEach(() => localStorage.setItem("signalbox.who", "kim"));

/** The server, which answers every change with the incident as it is. */
function serve(one: Incident = incident(), more: Record<string, unknown> = {}) {
  const path = "/sb/v1/incidents/i1";
  return stubApi({
    [path]: ({ method }: Call) => (method === "PATCH" ? one : { incident: one, similar: [] }),
    [`${path}/timeline`]: timeline,
    [`${path}/notes`]: one,
    [`${path}/status`]: one,
    [`${path}/actions`]: one,
    ...more,
  });
}

async function open(url = "/incidents/i1") {
  await renderPage(<IncidentPage />, { url, path: "/incidents/$id" });
  return screen.findByRole("form", { name: "Say and do" });
}

/** What was sent, once something was. */
async function sent(calls: Call[]) {
  const found = await vi.waitFor(() => {
    const call = calls.find(({ method }) => method !== "GET");
    expect(call).toBeTruthy();
    return call;
  });
  return [found?.method, found?.path.replace("/sb/v1", ""), JSON.parse(found?.body ?? "")];
}

const press = (name: string) => userEvent.click(screen.getByRole("button", { name }));

describe("what is said in an incident", () => {
  it.each([
    ["Add a note", "note"],
    ["Add a status update", "update"],
  ])("%s", async (button, kind) => {
    const calls = serve();
    const form = await open();
    expect(within(form).getByRole("button", { name: button }).hasAttribute("disabled")).toBe(true);
    const text = within(form).getByLabelText("What is to be said") as HTMLTextAreaElement;
    await userEvent.type(text, " The pool is full ");
    await press(button);
    expect(await sent(calls)).toEqual([
      "POST",
      "/incidents/i1/notes",
      { text: "The pool is full", kind, by: "kim" },
    ]);
    await vi.waitFor(() => expect(text.value).toBe(""));
  });
  it("stays written where it was refused, with the reason", async () => {
    serve(incident(), {
      "/sb/v1/incidents/i1/notes": apiError(403, "forbidden", "You may not: incidents.write."),
    });
    const form = await open();
    const text = within(form).getByLabelText("What is to be said") as HTMLTextAreaElement;
    await userEvent.type(text, "Mine");
    await press("Add a note");
    expect((await within(form).findByRole("alert")).textContent).toContain("You may not: incidents.write.");
    expect(text.value).toBe("Mine");
  });
  it("needs a name", async () => {
    localStorage.setItem("signalbox.who", "");
    const calls = serve();
    await open();
    await press("I lead it");
    expect(calls.every(({ method }) => method === "GET")).toBe(true);
  });
});

describe("how far an incident is", () => {
  const offered = () =>
    within(screen.getByRole("form", { name: "Say and do" }))
      .getAllByRole("button")
      .map((button) => button.textContent)
      .filter((word) => /^It is|^Open/.test(word ?? ""));
  it.each<[Incident["status"], string[]]>([
    ["open", ["It is mitigated", "It is resolved"]],
    ["mitigated", ["It is resolved", "Open it again"]],
    ["resolved", ["Open it again"]],
  ])("%s: only what may follow is offered", async (status, words) => {
    serve(incident({ status }));
    await open();
    expect(offered()).toEqual(words);
  });
  it("is sent with what was said, and warns that pages still fire", async () => {
    const calls = serve();
    const form = await open();
    expect(within(form).getByText("1 page of it still fires.")).toBeTruthy();
    await userEvent.type(within(form).getByLabelText("What is to be said"), "Rolled back");
    await press("It is resolved");
    expect(await sent(calls)).toEqual([
      "POST",
      "/incidents/i1/status",
      { status: "resolved", by: "kim", text: "Rolled back" },
    ]);
  });
  it("is sent without a word where nothing was said", async () => {
    const calls = serve();
    await open();
    await press("It is mitigated");
    expect(await sent(calls)).toEqual(["POST", "/incidents/i1/status", { status: "mitigated", by: "kim" }]);
  });
});

describe("who has an incident", () => {
  it("is taken without changing the other roles", async () => {
    const calls = serve(incident({ roles: { commander: "Ana", scribe: "Ben" } }));
    await open();
    await press("I lead it");
    expect(await sent(calls)).toEqual([
      "PATCH",
      "/incidents/i1",
      { roles: { commander: "kim", scribe: "Ben" }, by: "kim" },
    ]);
  });
  it("acknowledges a page of it", async () => {
    const one = incident();
    const [page] = one.pages.list;
    const { acked_by: _, acked_at: __, ...waiting } = page ?? ({} as never);
    const calls = serve(incident({ pages: { ...one.pages, list: [waiting] } }), {
      "/sb/v1/pages/p1/ack": {},
    });
    await open();
    await press("Acknowledge as kim");
    expect(await sent(calls)).toEqual(["POST", "/pages/p1/ack", { by: "kim" }]);
  });
});

describe("changing what an incident says", () => {
  it("sends only what was touched", async () => {
    const calls = serve();
    await open();
    await press("Change severity, roles, services, start");
    const form = screen.getByRole("form", { name: "Change the incident" });
    await userEvent.type(within(form).getByLabelText("Scribe"), "Ben");
    await userEvent.click(within(form).getByRole("combobox", { name: "Severity" }));
    await userEvent.click(await screen.findByRole("option", { name: "P0" }));
    await press("Save");
    expect(await sent(calls)).toEqual([
      "PATCH",
      "/incidents/i1",
      { severity: "P0", roles: { commander: "Ana", scribe: "Ben" }, by: "kim" },
    ]);
    await vi.waitFor(() => expect(screen.queryByRole("form", { name: "Change the incident" })).toBeNull());
  });
});

describe("action items", () => {
  const task = {
    id: "t1",
    text: "Raise the limit",
    term: "short",
    owner: "Ana",
    due: "2026-11-25T12:00:00Z",
  } as const;
  it("are added with owner and day", async () => {
    const calls = serve();
    await open("/incidents/i1?tab=actions");
    const form = screen.getByRole("form", { name: "Add an action item" });
    await userEvent.type(within(form).getByLabelText(/What is to be done/), "Alert on ports");
    await userEvent.type(within(form).getByLabelText("Owner"), "Ben");
    await userEvent.type(within(form).getByLabelText("Due"), "2026-12-24");
    await userEvent.click(within(form).getByRole("button", { name: "Add" }));
    expect(await sent(calls)).toEqual([
      "POST",
      "/incidents/i1/actions",
      { text: "Alert on ports", term: "short", by: "kim", owner: "Ben", due: "2026-12-24T23:59:59Z" },
    ]);
  });
  it("are marked as done, and keep the rest", async () => {
    const calls = serve(incident({ actions: [task] }));
    await open("/incidents/i1?tab=actions");
    const table = screen.getByRole("table", { name: "Action items" });
    expect(within(table).getByText("Overdue")).toBeTruthy();
    expect(within(table).getByText("2026-11-25")).toBeTruthy();
    await press("Done: Raise the limit");
    const [, , body] = await sent(calls);
    expect(body).toEqual({ ...task, by: "kim", done: expect.stringMatching(/^\d{4}-/) });
  });
  it("are changed without moving the hour they are due", async () => {
    const calls = serve(incident({ actions: [task] }));
    await open("/incidents/i1?tab=actions");
    await press("Edit: Raise the limit");
    const form = screen.getByRole("form", { name: "Change the action item" });
    await userEvent.type(within(form).getByLabelText(/What is to be done/), " of ports");
    await userEvent.click(within(form).getByRole("button", { name: "Save" }));
    const [, , body] = await sent(calls);
    expect(body).toEqual({ ...task, text: "Raise the limit of ports", by: "kim" });
    expect(await screen.findByRole("form", { name: "Add an action item" })).toBeTruthy();
  });
});

describe("who may only read, and an incident that is part of another", () => {
  it.each<[string, Partial<Incident>, string[]]>([
    ["a reader", {}, ["incidents.read"]],
    ["a merged one", { status: "merged" }, ["incidents.read", "incidents.write"]],
  ])("%s: nothing is offered", async (_, change, may) => {
    const permissions = may.map((permission) => ({ permission, allowed: true }));
    const me = { subject: "u", name: "Uma", kind: "user", groups: [], tenant: "default", permissions };
    serve(incident({ ...change, actions: [{ id: "t1", text: "Raise it", term: "short" }] }), {
      "/sb/v1/me": me,
    });
    await renderPage(<IncidentPage />, { url: "/incidents/i1?tab=actions", path: "/incidents/$id" });
    await screen.findByRole("table", { name: "Action items" });
    await vi.waitFor(() => expect(screen.queryByRole("form", { name: "Say and do" })).toBeNull());
    expect(screen.queryByRole("button", { name: /^Done/ })).toBeNull();
  });
});
