import { screen, waitFor } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { describe, expect, it } from "vitest";
import type { Replay } from "~/api/types";
import { renderPage, stubApi } from "~/test/render";
import { decision } from "~/test/samples";
import { DecisionTable } from "./DecisionTable";
import { OverridePanel } from "./OverridePanel";
import { ReplayResult } from "./ReplayPanel";

const replay: Replay = {
  decision_id: "g1",
  signature: "valid",
  key_id: "k",
  same: true,
  stored_verdict: "block",
  replayed_verdict: "block",
  decision: decision({}),
};

describe("a replay", () => {
  it("that comes out alike says so, with the signature", async () => {
    await renderPage(<ReplayResult replay={replay} />);
    expect(screen.getByText("Signature verified")).toBeTruthy();
    expect(screen.getByText("Same decision")).toBeTruthy();
  });
  it("that differs shows both verdicts and why the signature does not hold", async () => {
    await renderPage(
      <ReplayResult
        replay={{ ...replay, same: false, replayed_verdict: "allow", signature: "the payload was changed" }}
      />,
    );
    expect(screen.getByText("Signature not valid")).toBeTruthy();
    expect(screen.getByText("the payload was changed")).toBeTruthy();
    expect(screen.getByText("A different decision")).toBeTruthy();
  });
});

describe("what was edited in the database", () => {
  const given = {
    id: "o1",
    decision_id: "g1",
    service: "checkout",
    environment: "prod",
    version: "2.4.2",
    verdict: "block" as const,
    actor: "ann",
    reason: "customers cannot log in",
    time: "2026-03-01T12:00:00Z",
    expires: "2026-03-01T13:00:00Z",
  };
  it("is marked in the list, a decision and an override alike", async () => {
    await renderPage(
      <DecisionTable
        decisions={[
          decision({ id: "whole" }),
          decision({ id: "edited", tampered: "it differs" }),
          decision({
            id: "unread",
            tampered: "it was not compared with the audit log: that is still being read",
          }),
          decision({ id: "given", override: { ...given, tampered: "it was changed" } }),
        ]}
      />,
    );
    expect(screen.getAllByText("Tampered with")).toHaveLength(1);
    expect(screen.getAllByText("This decision was tampered with.")).toHaveLength(1);
    expect(screen.getAllByText("Blocked")).toHaveLength(2);
    expect(screen.getAllByText("Blocked, not compared")).toHaveLength(1);
    expect(screen.getAllByText("Override tampered with")).toHaveLength(1);
  });
  it("lets nothing pass as an override, and says why", async () => {
    stubApi({ "/sb/v1/gate/decisions": { decisions: [], next: "" } });
    await renderPage(
      <OverridePanel decision={decision({ override: { ...given, tampered: "it was changed" } })} />,
    );
    expect(screen.getByText("Tampered with")).toBeTruthy();
    expect(screen.getByText(/lets nothing pass: it was changed/)).toBeTruthy();
  });
});

describe("an override", () => {
  it("sends who and why", async () => {
    const calls = stubApi({
      "/sb/v1/gate/decisions": { decisions: [], next: "" },
      "/sb/v1/gate/decisions/g1/override": decision({}),
    });
    await renderPage(<OverridePanel decision={decision({})} />);
    await userEvent.type(screen.getByRole("textbox", { name: /Your name/ }), "lena");
    await userEvent.type(screen.getByRole("textbox", { name: /Reason/ }), "customers cannot log in");
    await userEvent.click(screen.getByRole("button", { name: "Break glass" }));
    const sent = () => calls.find((call) => call.path.endsWith("/override"));
    await waitFor(() => expect(sent()).toBeTruthy());
    expect(JSON.parse(sent()?.body ?? "")).toEqual({ actor: "lena", reason: "customers cannot log in" });
  });
  it("is not offered where the gate allowed", async () => {
    stubApi({ "/sb/v1/gate/decisions": { decisions: [], next: "" } });
    await renderPage(<OverridePanel decision={decision({ verdict: "allow" })} />);
    expect(screen.queryByRole("button", { name: "Break glass" })).toBeNull();
  });
});
