import { screen, waitFor } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { describe, expect, it } from "vitest";
import type { Replay } from "~/api/types";
import { renderPage, stubApi } from "~/test/render";
import { decision } from "~/test/samples";
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
