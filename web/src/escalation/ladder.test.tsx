import { screen, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { describe, expect, it } from "vitest";
import type { Escalation } from "~/api/types";
import { apiError, renderPage, stubApi } from "~/test/render";
import { attempt, escalation, page } from "~/test/samples";
import { Ladder } from "./Ladder";
import { PageLadder } from "./PageLadder";

const [first, second] = escalation({}).steps;
if (!first || !second) throw new Error("the sample has two steps");

const show = (view: Escalation, who?: string) => renderPage(<Ladder view={view} who={who} />);
const says = () => screen.getByRole("strong").textContent;

describe("how an escalation stands", () => {
  const waitsFor = { next: "2026-11-21T14:15:00Z" };
  it.each<[string, Partial<Escalation>, RegExp]>([
    ["paging", {}, /^Nobody has it yet\. Next: step 2 tells kim at .+ unless somebody acknowledges\.$/],
    [
      "waiting",
      { state: "waiting", steps: [{ ...first, state: "next", attempts: [] }, second] },
      /step 1 tells ada/,
    ],
    [
      "at the end of the chain",
      { steps: [first] },
      /^Nobody has it yet\. At .+ the chain begins anew or comes to its end/,
    ],
    ["acknowledged", { state: "acknowledged", next: undefined }, /^lena has it\.$/],
    [
      "acknowledged for a while",
      { state: "acknowledged", ...waitsFor },
      /^lena has it\. Next: step 2 .+ unless it is over/,
    ],
    ["silenced", { state: "silenced", next: undefined }, /silenced, so nobody is told/],
    ["over", { state: "resolved", next: undefined }, /^It is over/],
    ["of a level that pages nobody", { state: "noticed", next: undefined }, /pages nobody/],
    [
      "told and not taken",
      { state: "unreached", next: undefined },
      /^Nobody has it: the chain came to its end\.$/,
    ],
    [
      "not told",
      { state: "unreached", steps: [{ ...first, attempts: [attempt({ state: "failed" })] }] },
      /^Nobody was reached\. It is tried again at /,
    ],
    [
      "only supposed",
      { state: undefined, summary: "It is P0. First ada would be paged." },
      /^It is P0\. First ada/,
    ],
  ])("is a sentence while it is %s", async (_, change, sentence) => {
    await show(escalation(change), "lena");
    expect(says()).toMatch(sentence);
  });

  it("goes on within a round that is not the first", async () => {
    const again = { ...first, attempts: [attempt({}), attempt({ round: 1 })] };
    const earlier = { ...second, state: "next" as const, attempts: [attempt({ to: "kim" })] };
    await show(escalation({ round: 1, steps: [again, earlier] }), "lena");
    expect(says()).toMatch(/Next: step 2 tells kim/);
  });
});

describe("the ladder", () => {
  it("says the level and the policy with the reasons, and what became of each message", async () => {
    const attempts = [
      attempt({ receipt: "n-17" }),
      attempt({ channel: "telegram", state: "failed", tries: 3, note: "the chat is unknown" }),
      attempt({ channel: "email", state: "planned", at: undefined }),
      attempt({ to: "slack #edge", channel: "slack", state: "summarized" }),
      attempt({ channel: "sms", state: "cancelled", note: "lena has it" }),
    ];
    await show(escalation({ steps: [{ ...first, attempts }, second] }));
    expect(
      screen.getByText(/P0 pages at once: severity=critical\..*policy edge: it is for the team edge/),
    ).toBeTruthy();
    const list = within(screen.getByRole("list", { name: "Messages of step 1" })).getAllByRole("listitem");
    expect(list.map((one) => one.textContent?.replace(/,? [^ ]*\d\d:\d\d/, ""))).toEqual([
      expect.stringMatching(/^Deliveredada by ntfy.* receipt n-17$/),
      expect.stringMatching(/^Failedada by telegram.*3 tries: the chat is unknown$/),
      expect.stringMatching(/^Plannedada by email/),
      expect.stringMatching(/^Told with othersslack #edge/),
      expect.stringMatching(/^Given upada by sms.*: lena has it$/),
    ]);
    expect(screen.getByText("15 m after the step before")).toBeTruthy();
    expect(screen.getByText(/ntfy, sms after 2 m/)).toBeTruthy();
  });

  it("folds what earlier rounds told", async () => {
    const attempts = [attempt({ receipt: "old" }), attempt({ round: 1, receipt: "new" })];
    await show(escalation({ round: 1, steps: [{ ...first, attempts }, second] }));
    const now = screen.getByRole("list", { name: "Messages of step 1" });
    expect(within(now).getByText("new")).toBeTruthy();
    const folded = screen.getByText("1 message of earlier rounds");
    expect(folded.closest("details")?.open).toBe(false);
    await userEvent.click(folded);
    expect(
      within(screen.getByRole("list", { name: "Earlier messages of step 1" })).getByText("old"),
    ).toBeTruthy();
  });

  it("says why a step has nobody, and what was told of the end", async () => {
    const who = [{ target: "on call by nights", nobody: "nobody is on call by nights", by: [] }];
    await show(
      escalation({
        steps: [first, { ...second, who }],
        news: [attempt({ kind: "resolved" })],
        events: [{ time: "2026-11-21T14:00:00Z", text: "step 1 tells ada" }],
      }),
    );
    expect(screen.getByText("nobody is on call by nights")).toBeTruthy();
    expect(says()).toContain("step 2 has nobody now");
    expect(screen.getByRole("list", { name: "Told later" }).textContent).toContain("that it is over");
    expect(screen.getByText("What was decided (1)")).toBeTruthy();
  });
});

describe("a page's ladder", () => {
  const path = "/sb/v1/pages/p1/escalation";
  const open = (reply: unknown, known?: Escalation) => {
    const calls = stubApi({ [path]: reply });
    return renderPage(<PageLadder page={page({ acked_by: "lena" })} known={known} />).then(() => calls);
  };

  it("is asked for by the page, and names who has acknowledged", async () => {
    const calls = await open(escalation({ state: "acknowledged", next: undefined }));
    expect(await screen.findByText("lena has it.")).toBeTruthy();
    expect(calls.map((one) => one.path)).toEqual([path]);
  });
  it("shows what is known already before the answer, and only of the same page", async () => {
    await open(() => new Promise(() => {}), escalation({}));
    expect(screen.getByText(/Nobody has it yet/)).toBeTruthy();
  });
  it("says that it loads", async () => {
    await open(() => new Promise(() => {}), escalation({ page: "another" }));
    expect(screen.getByRole("status", { name: "Loading whom the page went to" })).toBeTruthy();
  });
  it("says that no policy is for it", async () => {
    await open(
      escalation({
        page: undefined,
        state: undefined,
        policy: undefined,
        policy_why: "there is no default",
        steps: [],
      }),
    );
    expect((await screen.findByText(/No policy is for this page/)).textContent).toContain(
      "there is no default",
    );
  });
  it("says of a page without a record that it is only supposed", async () => {
    await open(escalation({ page: undefined, state: undefined, next: undefined }));
    expect(await screen.findByText(/whom it would go to now/)).toBeTruthy();
  });
  it("says that it is not known", async () => {
    await open(apiError(404, "not_found", "page p1: unknown"));
    expect(await screen.findByText("It is not known whom it went to: page p1: unknown.")).toBeTruthy();
  });
  it("says that one may not see it", async () => {
    await open(apiError(403, "forbidden", "it needs pages.read"));
    expect((await screen.findByRole("alert")).textContent).toContain("it needs pages.read");
  });
});
