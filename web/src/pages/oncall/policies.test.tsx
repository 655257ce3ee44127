import { screen, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { describe, expect, it } from "vitest";
import type { Escalation, EscalationPolicy } from "~/api/types";
import { renderPage, stubApi } from "~/test/render";
import { ContactTable } from "./ContactTable";
import { Drill } from "./Drill";
import { resultOf } from "./DrillResult";
import { Policies } from "./Policies";
import { afterText, forText, pagesText, repeatText } from "./policies";

const edge = {
  name: "edge",
  services: ["edge"],
  steps: [
    { after: "0s", notify: [{ schedule: "edge-developers" }] },
    { after: "10m", notify: [{ person: "kim" }], levels: ["P0"] },
  ],
  notices: [{ channel: "slack", address: "#edge" }],
  repeat: 2,
  repeat_after: "10m",
  unresolved: "30m",
} as EscalationPolicy;

const levels = [
  { name: "P0", notice: false, page_after: "0s", severities: ["critical"] },
  { name: "P3", notice: true, severities: ["warning"], classes: ["resource"] },
];

describe("a policy in words", () => {
  it("says when, for what and how often", () => {
    expect(afterText("0s")).toBe("At once");
    expect(afterText("15m")).toBe("After 15 m");
    expect(forText(edge)).toBe("For alerts of edge.");
    expect(forText({ ...edge, services: [], default: true })).toBe("For what no other policy is for.");
    expect(forText({ ...edge, services: [] })).toBe("For alerts that name it.");
    expect(repeatText(edge)).toBe("Begins anew 10 m after the last step, 2 times.");
    expect(repeatText({ ...edge, repeat: 0 })).toBe("Ends 10 m after the last step.");
    expect(pagesText({ name: "P3", notice: true })).toBe("nobody");
  });
});

describe("policies", () => {
  it("show their steps, the levels, and whom each level reaches", async () => {
    stubApi({
      "/sb/v1/oncall/policies": { policies: [edge], levels },
      "/sb/v1/oncall/coverage": {
        covered: false,
        schedules: [],
        levels: [
          {
            policy: "edge",
            level: "P0",
            gaps: [{ start: "2026-03-24T00:00:00Z", end: "2026-03-25T00:00:00Z" }],
            missing: ["ntfy of kim is not verified"],
          },
        ],
      },
    });
    await renderPage(<Policies />);
    const policy = within(await screen.findByRole("article", { name: "Policy edge" }));
    expect(policy.getAllByRole("listitem").map((one) => one.textContent)).toEqual([
      "At once → on call by edge-developers",
      "After 10 m → kim, of P0 only",
    ]);
    expect(policy.getByText(/Notices go to slack #edge/)).toBeTruthy();
    expect(within(screen.getByRole("table", { name: "Levels" })).getByText("nobody")).toBeTruthy();
    const reached = within(await screen.findByRole("table", { name: "Whom each level reaches" }));
    expect(reached.getByText("not always")).toBeTruthy();
    expect(reached.getByText("ntfy of kim is not verified")).toBeTruthy();
  });

  it("say how to begin", async () => {
    stubApi({ "/sb/v1/oncall/policies": { policies: [], levels } });
    await renderPage(<Policies />);
    expect(await screen.findByText("There is no escalation policy.")).toBeTruthy();
    expect(screen.queryByRole("table", { name: "Levels" })).toBeNull();
  });
});

const contact = { person: "kim", contact: "ntfy", channel: "ntfy", usable: true };

describe("contacts", () => {
  it("say what is verified and what has no channel", async () => {
    stubApi({
      "/sb/v1/oncall/contacts": {
        contacts: [contact, { ...contact, contact: "sms", channel: "sms", usable: false }],
      },
    });
    await renderPage(<ContactTable />);
    const table = within(await screen.findByRole("table", { name: "Contacts" }));
    expect(table.getAllByText("not verified")).toHaveLength(2);
    expect(table.getByText("not set up")).toBeTruthy();
  });
});

describe("a drill", () => {
  it("goes to who was chosen, and says what came of it", async () => {
    const attempt = { kind: "drill", to: "kim", channel: "ntfy", why: "", due: "", tries: 1, round: 0 };
    const calls = stubApi({
      "/sb/v1/oncall/policies": { policies: [edge], levels },
      "/sb/v1/oncall/contacts": { contacts: [contact] },
      "/sb/v1/oncall/drills": { id: "d1" },
      "/sb/v1/oncall/drills/d1": {
        state: "paging",
        steps: [
          { number: 1, after: "0s", state: "begun", who: [], attempts: [{ ...attempt, state: "failed" }] },
        ],
        notices: [],
        news: [],
        events: [],
      },
    });
    await renderPage(<Drill />);
    await userEvent.click(await screen.findByRole("combobox", { name: "Drill" }));
    await userEvent.click(await screen.findByRole("option", { name: "kim" }));
    await userEvent.type(screen.getByLabelText(/^Your name/), "ann");
    await userEvent.click(screen.getByRole("button", { name: "Send a drill" }));
    expect(await screen.findByText("1 of 1 message failed.")).toBeTruthy();
    const sent = calls.find((one) => one.path === "/sb/v1/oncall/drills" && one.method === "POST");
    expect(JSON.parse(sent?.body ?? "")).toEqual({ person: "kim", by: "ann" });
  });

  it("says that a step had nobody, though another was told", () => {
    const rung = { number: 1, after: "0s", state: "begun", who: [] };
    const view = {
      state: "paging",
      steps: [
        { ...rung, attempts: [{ state: "delivered" }] },
        { ...rung, attempts: [] },
      ],
    };
    expect(resultOf(view as unknown as Escalation)).toEqual({
      tone: "caution",
      word: "Handed over: 1 message; 1 step had nobody.",
    });
  });
});
