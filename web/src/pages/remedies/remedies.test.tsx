import { screen, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { describe, expect, it } from "vitest";
import type { Remedy } from "~/api/types";
import { apiError, renderPage, stubApi } from "~/test/render";
import { RemediesPage } from "./RemediesPage";
import { answerOf } from "./remedies";

const time = "2026-11-21T14:00:00Z";

function remedy(change: Partial<Remedy>): Remedy {
  return {
    id: "r1",
    service: "edge",
    slo: "edge-availability",
    alert: "SLOBurnRateFast",
    state: "recovered",
    reason: "Rolled back to 2.4.0; the burn fell to 0.4×.",
    breach: time,
    updated: "2026-11-21T14:20:00Z",
    executed: "2026-11-21T14:10:00Z",
    version: "2.4.1",
    previous_version: "2.4.0",
    executor: "kubernetes",
    dry_run: false,
    deploy: { service: "edge", version: "2.4.1", time, kind: "deploy", status: "succeeded" },
    evidence: [],
    history: [{ time, state: "watching", reason: "The breach is young." }],
    ...change,
  };
}

const open = (url = "/remedies") => renderPage(<RemediesPage />, { url, path: "/remedies" });

describe("the answer about rollbacks", () => {
  it.each([
    [
      "tells of what goes on",
      [remedy({ state: "verifying", reason: "It waits." }), remedy({})],
      "edge: It waits.",
    ],
    [
      "counts what was done and verified",
      [remedy({}), remedy({ state: "unhelpful" })],
      "Of 2 breaches: 2 rollbacks done, 1 of them verified.",
    ],
    [
      "keeps a dry run apart",
      [remedy({ state: "planned", dry_run: true })],
      "Of 1 breach: 1 rollback would have been done (dry run).",
    ],
    [
      "says that nothing was",
      [remedy({ state: "declined", executed: undefined as never })],
      "Nothing was rolled back in 1 breach.",
    ],
    ["says that there was no breach", [], "No breach has lasted long enough to think of a rollback."],
  ])("%s", (_, list, words) => {
    const clean = list.map(({ executed, ...rest }) => (executed ? { ...rest, executed } : rest)) as Remedy[];
    expect(answerOf(clean)).toBe(words);
  });
});

describe("the rollbacks", () => {
  it("say what was done, why, whether it helped, and lead to alert, deployment and audit", async () => {
    stubApi({
      "/sb/v1/remedies": { remedies: [remedy({})] },
      "/sb/v1/audit": {
        entries: [
          { id: 7, time, actor: "signalbox", action: "remedy.executing", subject: "r1", details: {} },
          { id: 8, time, actor: "signalbox", action: "remedy.executing", subject: "other", details: {} },
        ],
      },
    });
    const { router } = await open();
    const card = await screen.findByRole("article", { name: "edge: edge-availability" });
    expect(within(card).getByRole("link", { name: "Alert SLOBurnRateFast" })).toBeTruthy();
    expect(within(card).getByRole("link", { name: "Deployment 2.4.1" }).getAttribute("href")).toContain(
      "from=",
    );
    await userEvent.click(within(card).getByRole("button"));
    expect(router.state.location.search).toMatchObject({ open: "r1" });
    expect(await within(card).findByText("yes: the burn fell")).toBeTruthy();
    expect(await within(card).findByText(/entry 7/)).toBeTruthy();
    expect(within(card).queryByText(/entry 8/)).toBeNull();
  });
  it("mark a dry run as one", async () => {
    stubApi({ "/sb/v1/remedies": { remedies: [remedy({ state: "planned", dry_run: true })] } });
    await open();
    const card = await screen.findByRole("article");
    expect(within(card).getByText("dry run")).toBeTruthy();
    expect(within(card).getByText("Would be rolled back")).toBeTruthy();
  });
  it("say how to begin when there are none", async () => {
    stubApi({ "/sb/v1/remedies": { remedies: [] } });
    await open();
    expect(await screen.findByText("No breach was looked at yet.")).toBeTruthy();
  });
  it("say why they are not known", async () => {
    stubApi({
      "/sb/v1/remedies": apiError(503, "overloaded", "busy"),
      "/sb/v1/remediation": { remedies: [], summary: "" },
      "/sb/v1/remediation/runs": { runs: [] },
    });
    await open();
    expect((await screen.findByRole("alert")).textContent).toContain("busy");
  });
});
