import { screen, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { beforeEach, expect, it, vi } from "vitest";
import type { Incident, IncidentPostmortem } from "~/api/types";
import { apiError, renderPage, stubApi } from "~/test/render";
import { IncidentPage } from "./IncidentPage";
import { incident, timeline } from "./samples";

beforeEach(() => localStorage.setItem("signalbox.who", "kim"));

const resolved = (): Incident => ({ ...incident(), status: "resolved" });

async function open(one: Incident, change: Partial<IncidentPostmortem> = {}) {
  const path = "/sb/v1/incidents/i1";
  const draft = { clock: [], impact: [], similar: [], markdown: "# Edge\n- 10:00 it began", written: {} };
  const calls = stubApi({
    [path]: { incident: one, similar: [] },
    [`${path}/timeline`]: timeline,
    [`${path}/postmortem`]: { ...draft, incident: one, timeline, ...change },
  });
  await renderPage(<IncidentPage />, { url: "/incidents/i1?tab=postmortem", path: "/incidents/$id" });
  return { calls, form: await screen.findByRole("form", { name: "Write the postmortem" }) };
}

it("says by when what is to be written, and shows the draft", async () => {
  await open(resolved(), {
    clock: [
      { step: "summary", due: "2026-03-25T00:00:00Z", state: "late", done: "2026-03-26T00:00:00Z" },
      { step: "postmortem", due: "2026-03-31T00:00:00Z", state: "overdue" },
      { step: "review", due: "2026-04-07T00:00:00Z", state: "waiting" },
    ],
  });
  const rows = within(screen.getByRole("table", { name: "By when" }))
    .getAllByRole("row")
    .slice(1);
  expect(rows.map((row) => within(row).getAllByRole("cell")[1]?.textContent)).toEqual([
    "done late",
    "overdue",
    "waiting",
  ]);
  expect(screen.getByText(/10:00 it began/)).toBeTruthy();
  expect(screen.getByRole("link", { name: "Download" }).getAttribute("download")).toBe("postmortem-i1.md");
});

it("is published with a summary and a root cause, and with the whys a line each", async () => {
  const { calls, form } = await open(resolved());
  const publish = within(form).getByRole("button", { name: "Publish" });
  expect(publish.hasAttribute("disabled")).toBe(true);
  await userEvent.type(within(form).getByLabelText("Summary"), "Ports ran out");
  await userEvent.type(within(form).getByLabelText("Root cause"), "A public endpoint");
  await userEvent.type(within(form).getByLabelText("Five whys"), "one{enter}{enter} two");
  await userEvent.click(publish);
  const sent = await vi.waitFor(() => {
    const call = calls.find(({ method }) => method === "POST");
    expect(call).toBeTruthy();
    return call;
  });
  expect(sent?.path).toBe("/sb/v1/incidents/i1/postmortem");
  expect(JSON.parse(sent?.body ?? "")).toEqual({
    written: {
      summary: "Ports ran out",
      impact: "",
      root_cause: "A public endpoint",
      resolution: "",
      lessons: "",
      whys: ["one", "two"],
    },
    by: "kim",
    version: 0,
    publish: true,
  });
});

it("is not published while the incident goes on", async () => {
  const { form } = await open(incident(), { written: { summary: "a", root_cause: "b" } });
  expect(within(form).getByRole("button", { name: "Publish" }).hasAttribute("disabled")).toBe(true);
  expect(screen.getByText(/clock begins when the incident is resolved/)).toBeTruthy();
});

it("notes the review once it is published", async () => {
  const { form } = await open(resolved(), { written: { published_at: "2026-03-25T00:00:00Z" } });
  expect(within(form).queryByRole("button", { name: "Publish" })).toBeNull();
  expect(within(form).getByRole("button", { name: "The review was held" })).toBeTruthy();
});

it("shows what somebody else wrote meanwhile, and keeps what was typed", async () => {
  const path = "/sb/v1/incidents/i1";
  const one = resolved();
  const versions: number[] = [];
  const now = { summary: "Ann's words", root_cause: "", version: 3, written_by: "ann" };
  stubApi({
    [path]: { incident: one, similar: [] },
    [`${path}/timeline`]: timeline,
    [`${path}/postmortem`]: ({ method, body }: { method: string; body: string }) => {
      const draft = { clock: [], impact: [], similar: [], markdown: "# Edge", written: { version: 2 } };
      if (method !== "POST") return { ...draft, incident: one, timeline };
      versions.push(JSON.parse(body).version);
      return versions.length === 1
        ? apiError(409, "conflict", "ann wrote it meanwhile (version 3)", now)
        : { ...one, postmortem: { version: 4 } };
    },
  });
  await renderPage(<IncidentPage />, { url: "/incidents/i1?tab=postmortem", path: "/incidents/$id" });
  const form = await screen.findByRole("form", { name: "Write the postmortem" });
  await userEvent.type(within(form).getByLabelText("Summary"), "Kim's words");
  await userEvent.click(within(form).getByRole("button", { name: "Save" }));
  const theirs = await within(form).findByRole("alert", { name: "Written meanwhile" });
  expect(theirs.textContent).toContain("ann wrote meanwhile");
  expect(theirs.textContent).toContain("Ann's words");
  expect((within(form).getByLabelText("Summary") as HTMLTextAreaElement).value).toBe("Kim's words");
  await userEvent.click(within(theirs).getByRole("button", { name: /instead of theirs/ }));
  await vi.waitFor(() => expect(within(form).queryByRole("alert")).toBeNull());
  expect(versions).toEqual([2, 3]);
});
