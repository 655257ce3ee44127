import { fireEvent, screen, within } from "@testing-library/react";
import { describe, expect, it, test } from "vitest";
import type { AccessReview } from "~/api/types";
import { renderPage, stubApi } from "~/test/render";
import { ReviewPage } from "./ReviewPage";
import { filterRows, quarters, reviewAnswer, reviewSheet, rowsOf } from "./review";

const review: AccessReview = {
  authentication: true,
  from: "2026-10-01T00:00:00Z",
  until: "2026-11-30T00:00:00Z",
  holders: [
    {
      kind: "user",
      name: "user:ann",
      of: ["ops"],
      last: "2026-11-29T00:00:00Z",
      grants: [{ role: "editor", tenants: ["acme"], namespaces: ["pay"], by: "auth.bindings[0] (editor)" }],
      of_at: "2026-11-28T00:00:00Z",
      was: {
        time: "2026-10-02T00:00:00Z",
        groups: ["db"],
        grants: ["admin on * by auth.bindings[1] (admin)"],
      },
    },
    { kind: "user", name: "user:zoe", grants: [], last: "2026-11-01T00:00:00Z" },
    {
      kind: "token",
      name: "token:1",
      shown: "=HYPERLINK(1)",
      of: ["user:ann"],
      grants: [{ role: "viewer", tenants: ["*"], by: "the token" }],
    },
    { kind: "role", name: "spare", of: ["logs.read"], grants: [] },
  ],
  proposals: [
    { kind: "token", name: "token:1", reason: "expired", text: "expired: revoke it" },
    { kind: "token", name: "token:1", reason: "unused", text: "not used for 90 days: revoke it" },
  ],
  notes: ["Whether groups of bindings are used is not judged: the audit log is too short."],
};
const path = "/sb/v1/audit/review";
const names = () =>
  within(screen.getByRole("table", { name: "Access" }))
    .getAllByRole("row")
    .slice(1)
    .map((row) => row.textContent?.match(/^(ann|zoe)|token:1|spare/)?.[0]);

describe("the access review", () => {
  test("says who may what, what should go first, and why", async () => {
    stubApi({ [path]: review });
    await renderPage(<ReviewPage />);
    const answer = await screen.findByText(/^2 users and 1 token have access/);
    expect(answer.closest("header")?.textContent).toContain("2 removals are proposed.");
    expect(names()).toEqual(["token:1", "ann", "zoe", "spare"]);
    const rows = screen.getAllByRole("row");
    for (const text of ["Expired: revoke it", "Not used for 90 days: revoke it", "viewer on every tenant"])
      expect(rows[1]?.textContent).toContain(text);
    for (const text of [
      "editor on acme, only pay",
      "Otherwise at the login of",
      "in db, which gave admin on *",
    ])
      expect(rows[2]?.textContent).toContain(text);
    expect(screen.getByRole("status").textContent).toContain("the audit log is too short");
  });

  test("is sorted by a column, the other way by a second click, and filtered", async () => {
    stubApi({ [path]: review });
    const { router } = await renderPage(<ReviewPage />);
    fireEvent.click(await screen.findByRole("button", { name: "Last used" }));
    await screen.findByText("▲", { exact: false });
    expect(names()).toEqual(["zoe", "ann", "token:1", "spare"]);
    fireEvent.click(screen.getByRole("button", { name: /^Last used/ }));
    await screen.findByText("▼", { exact: false });
    expect(names()).toEqual(["ann", "zoe", "token:1", "spare"]);
    expect(router.state.location.searchStr).toContain("order=-last");
    fireEvent.change(screen.getByRole("textbox", { name: "With the words" }), {
      target: { value: "ACME pay" },
    });
    await screen.findByText("1 of 4 are shown.");
    expect(names()).toEqual(["ann"]);
    fireEvent.change(screen.getByRole("textbox", { name: "With the words" }), {
      target: { value: "nobody" },
    });
    expect(await screen.findByText("Nothing fits.")).toBeTruthy();
  });

  test("of a quarter is asked for by the address", async () => {
    const calls = stubApi({ [path]: review });
    await renderPage(<ReviewPage />, { url: "/?period=2026Q3&state=proposed" });
    await screen.findByRole("table", { name: "Access" });
    expect(calls.find((one) => one.path === path)?.params.get("quarter")).toBe("2026Q3");
    expect(names()).toEqual(["token:1"]);
  });

  test("without authentication says that, and how it is turned on", async () => {
    stubApi({ [path]: { ...review, authentication: false, holders: [], proposals: [], notes: [] } });
    await renderPage(<ReviewPage />);
    expect(await screen.findByText("Nobody is asked who they are.")).toBeTruthy();
    expect(screen.getByRole("heading", { level: 1 }).textContent).toContain("everybody may everything");
    expect(screen.queryByRole("button", { name: "Save as CSV" })).toBeNull();
  });

  test("that cannot be read says why", async () => {
    stubApi({
      [path]: new Response(
        JSON.stringify({ error: { code: "forbidden", message: "auth.manage is needed" } }),
        { status: 403 },
      ),
    });
    await renderPage(<ReviewPage />);
    expect((await screen.findByRole("alert")).textContent).toContain("auth.manage is needed");
    expect(screen.getByRole("heading", { level: 1 }).textContent).toBe("It is not known who may what.");
  });
});

describe("rows of a review", () => {
  it("are found by all that they say, each word alone", () => {
    const rows = rowsOf(review);
    const found = (text: string) => filterRows(rows, { text, proposed: false }).map((row) => row.holder.name);
    expect(found("expired")).toEqual(["token:1"]);
    expect(found("bindings[1]")).toEqual(["user:ann"]);
    expect(found("user: editor")).toEqual(["user:ann"]);
    expect(filterRows(rows, { kind: "role", proposed: false })).toHaveLength(1);
    expect(filterRows(rows, { kind: "role", proposed: true })).toHaveLength(0);
  });
  it("are a sheet with the columns of the command, without formulas", () => {
    const lines = reviewSheet(review, rowsOf(review)).split("\n");
    expect(lines[0]).toBe(
      "kind,name,shown,of,may,disabled,created,expires,last_used,proposed,reason,period_start,period_end,of_at,login_then,groups_then,might_then",
    );
    expect(lines[1]).toBe(
      'token,token:1,\'=HYPERLINK(1),user:ann,viewer on */*,false,,,,"expired, unused",expired: revoke it; not used for 90 days: revoke it,2026-10-01T00:00:00Z,2026-11-30T00:00:00Z,,,,',
    );
    expect(lines[2]).toContain("editor on acme/pay");
  });
  it("are counted in words", () => {
    expect(reviewAnswer({ ...review, proposals: [] }, false)).toMatch(/; nothing is proposed for removal\.$/);
    expect(reviewAnswer(undefined, true)).toBe("It is not known who may what.");
  });
  it("are of quarters of UTC", () => {
    expect(quarters(Date.parse("2026-02-01T00:00:00Z"), 3)).toEqual(["2026Q1", "2025Q4", "2025Q3"]);
    expect(quarters(Date.parse("2025-12-31T23:59:59Z"), 1)).toEqual(["2025Q4"]);
  });
});
