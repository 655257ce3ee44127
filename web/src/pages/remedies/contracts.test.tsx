import { cleanup, screen, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { beforeEach, describe, expect, it } from "vitest";
import type { RemediationListing, RemediationRun } from "~/api/types";
import { apiError, renderPage, stubApi } from "~/test/render";
import { RemediesPage } from "./RemediesPage";

const time = "2026-11-21T14:00:00Z";
const call = "PATCH /apis/apps/v1/namespaces/broker/deployments/consumer-layout/scale replicas=4";
const stop = { at: time, by: "ana", reason: "the cluster moves" };

const listed: RemediationListing["remedies"][number] = {
  name: "scale-consumers",
  description: "Doubles the consumers.",
  owner: "platform",
  runbook: "queue-backlog",
  kind: "scale",
  mode: "approve",
  dry_run: false,
  waiting: 1,
  terms: [{ name: "precondition", text: "depth > 1000" }],
};

const run: RemediationRun = {
  id: "run1",
  remedy: "scale-consumers",
  state: "pending",
  mode: "approve",
  dry_run: false,
  reason: "Somebody must approve it.",
  subject: { target: "deployment broker/consumer-layout", labels: {} },
  plan: { text: "Scales consumer-layout from 2 to 4.", calls: [call], undo: "scales it to 2" },
  evidence: [],
  history: [{ time, state: "pending", reason: "Somebody must approve it." }],
  times: { began: time, updated: time },
  trigger: { kind: "hand", by: "ana", since: time },
};

const me = (...allowed: string[]) => ({
  subject: "ana",
  name: "ana",
  kind: "person",
  groups: [],
  tenant: "",
  permissions: allowed.map((permission) => ({ permission, allowed: true })),
});

function open(replies: Record<string, unknown>) {
  const calls = stubApi({
    "/sb/v1/remedies": { remedies: [] },
    "/sb/v1/remediation": { remedies: [listed], summary: "1 remedy is in force." },
    "/sb/v1/remediation/runs": { runs: [] },
    ...replies,
  });
  return renderPage(<RemediesPage />, { url: "/remedies", path: "/remedies" }).then(() => calls);
}

const posts = (calls: { method: string; path: string; body: string }[]) =>
  calls.filter((one) => one.method === "POST").map(({ path, body }) => [path, JSON.parse(body)]);

beforeEach(() => localStorage.clear());

describe("the remedies in force", () => {
  it("are listed with their state, and what they say", async () => {
    await open({});
    const list = await screen.findByRole("list", { name: "Remedies in force" });
    expect(within(list).getByText("1 waiting")).toBeTruthy();
    expect(within(list).getByText("approve")).toBeTruthy();
    await userEvent.click(within(list).getByRole("button", { name: "scale-consumers" }));
    expect(within(list).getByText("depth > 1000")).toBeTruthy();
    expect(screen.getByRole("heading", { level: 1 }).textContent).toContain("1 remedy waits for approval");
  });
  it("say first that one failed, until its alert has ended", async () => {
    const failed = (times: RemediationRun["times"]) => ({
      "/sb/v1/remediation": {
        remedies: [{ ...listed, waiting: 0, last: { ...run, state: "failed", times } }],
        summary: "",
      },
    });
    await open(failed(run.times));
    const title = () => screen.getByRole("heading", { level: 1 }).textContent;
    await screen.findByRole("list", { name: "Remedies in force" });
    expect(title()).toContain("scale-consumers: failed.");
    cleanup();
    await open(failed({ ...run.times, ended: time }));
    await screen.findByRole("list", { name: "Remedies in force" });
    expect(title()).not.toContain("failed");
  });
  it("say how to begin where there are none", async () => {
    await open({ "/sb/v1/remediation": { remedies: [], summary: "" } });
    expect(await screen.findByText("No remedy is in force.")).toBeTruthy();
    expect(screen.getByText(/signalbox check remedies/)).toBeTruthy();
    expect(screen.queryByRole("button", { name: "Stop all remedies" })).toBeNull();
  });
  it("say why they are not known", async () => {
    await open({ "/sb/v1/remediation": apiError(503, "overloaded", "busy") });
    expect((await screen.findByRole("alert")).textContent).toContain("busy");
  });
});

describe("what waits for approval", () => {
  it("shows exactly what would be done, and is done only once it was confirmed", async () => {
    const calls = await open({
      "/sb/v1/remediation/runs": { runs: [run] },
      "/sb/v1/remediation/runs/run1/approve": run,
    });
    const list = await screen.findByRole("list", { name: "Waiting for somebody" });
    expect(within(list).getByText(call)).toBeTruthy();
    await userEvent.click(within(list).getByRole("button", { name: "Have it done" }));
    expect(posts(calls)).toEqual([]);
    const form = within(list).getByRole("form", { name: "Confirm" });
    expect(form.textContent).toContain("Scales consumer-layout from 2 to 4.");
    await userEvent.type(within(form).getByLabelText(/Your name/), "ana");
    await userEvent.click(within(form).getByRole("button", { name: "Yes, do it" }));
    await within(list).findByRole("button", { name: "Have it done" });
    expect(posts(calls)).toEqual([
      ["/sb/v1/remediation/runs/run1/approve", { by: "ana", plan: "Scales consumer-layout from 2 to 4." }],
    ]);
  });
  it("is not asked again once it was approved", async () => {
    const approval = { at: time, by: "ana", plan: "p" };
    await open({ "/sb/v1/remediation/runs": { runs: [{ ...run, approval }] } });
    const list = await screen.findByRole("list", { name: "Runs" });
    expect(within(list).getByText("Approved, judged once more")).toBeTruthy();
    expect(screen.queryByRole("button", { name: "Have it done" })).toBeNull();
  });
  it("says why the answer was not taken", async () => {
    await open({
      "/sb/v1/me": me("remedies.run"),
      "/sb/v1/remediation/runs": { runs: [run] },
      "/sb/v1/remediation/runs/run1/refuse": apiError(409, "conflict", "it waits no longer"),
    });
    await userEvent.click(await screen.findByRole("button", { name: "Refuse" }));
    await userEvent.click(screen.getByRole("button", { name: "Yes, refuse it" }));
    expect((await screen.findByRole("alert")).textContent).toContain("it waits no longer");
  });
  it("is not offered to who may not", async () => {
    await open({ "/sb/v1/me": me("remedies.read"), "/sb/v1/remediation/runs": { runs: [run] } });
    expect(await screen.findByText(/You may not approve it/)).toBeTruthy();
    expect(screen.queryByRole("button", { name: "Have it done" })).toBeNull();
    expect(screen.queryByRole("button", { name: "Stop all remedies" })).toBeNull();
  });
});

describe("the switch", () => {
  it("stops all with a reason", async () => {
    const calls = await open({ "/sb/v1/me": me("remedies.run"), "/sb/v1/remediation/stop": stop });
    await userEvent.click(await screen.findByRole("button", { name: "Stop all remedies" }));
    await userEvent.type(screen.getByLabelText(/Why/), "the cluster moves");
    await userEvent.click(screen.getByRole("button", { name: "Yes, stop them all" }));
    await screen.findByRole("button", { name: "Stop all remedies" });
    expect(posts(calls)).toEqual([["/sb/v1/remediation/stop", { by: "ana", reason: "the cluster moves" }]]);
  });
  const stopped = { remedies: [listed], summary: "", stopped: stop };
  it("says who stopped them, and starts them for who may", async () => {
    const calls = await open({
      "/sb/v1/me": me("remedies.run", "remedies.start"),
      "/sb/v1/remediation": stopped,
      "/sb/v1/remediation/start": stop,
    });
    await userEvent.click(await screen.findByRole("button", { name: "Start them again" }));
    expect(screen.getByText(/the cluster moves/)).toBeTruthy();
    expect(posts(calls)).toEqual([]);
    await userEvent.click(screen.getByRole("button", { name: "Yes, let them act" }));
    await screen.findByRole("button", { name: "Start them again" });
    expect(posts(calls).map(([path]) => path)).toEqual(["/sb/v1/remediation/start"]);
  });
  it("does not offer the start to who may only stop", async () => {
    await open({ "/sb/v1/me": me("remedies.run"), "/sb/v1/remediation": stopped });
    expect(await screen.findByText("All remedies are stopped")).toBeTruthy();
    expect(screen.queryByRole("button", { name: "Start them again" })).toBeNull();
  });
});
