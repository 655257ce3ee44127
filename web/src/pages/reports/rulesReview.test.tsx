import { screen, within } from "@testing-library/react";
import { describe, expect, test } from "vitest";
import type { RulesReview } from "~/api/types";
import { renderPage, stubApi } from "~/test/render";
import { RulesReviewPage } from "./RulesReviewPage";

const rule = {
  group: "work",
  file: "rules/work.yml",
  severity: "critical",
  missed: 0,
  stale: [],
  together: [],
  findings: [],
  proposals: [],
};
const review: RulesReview = {
  summary: "2 rules fired 10 times in 28 days; 1 edit is proposed.",
  start: "2026-11-01T00:00:00Z",
  end: "2026-11-29T00:00:00Z",
  covered: 0.98,
  patch: "--- a/rules/work.yml\n+++ b/rules/work.yml\n",
  notes: ["Firings are known to the minute."],
  rules: [
    {
      ...rule,
      alert: "Noisy",
      firings: { count: 7, seconds: 420, flapped: 0 },
      outcome: { told: 7, quiet: 0, acted_on: 1, auto_resolved: 6, open: 0 },
      findings: [{ kind: "auto-resolved", text: "6 of 7 firings ended by themselves" }],
      proposals: [{ kind: "for", from: "1m", to: "5m", why: "nobody acted on any", manual: "by hand" }],
    },
    {
      ...rule,
      alert: "Silenced",
      firings: { count: 3, seconds: 60, flapped: 0 },
      outcome: { told: 0, quiet: 3, acted_on: 0, auto_resolved: 0, open: 0 },
    },
  ],
};

describe("the review of rules", () => {
  test("says what each rule did and what to change", async () => {
    stubApi({ "/sb/v1/report/rules": review });
    await renderPage(<RulesReviewPage />);
    expect(await screen.findByText(review.summary)).toBeTruthy();
    const rows = within(screen.getByRole("table", { name: "Alerting rules" })).getAllByRole("row");
    for (const text of ["Noisy", "for from 1m to 5m", "nobody acted on any", "Not in the patch: by hand"])
      expect(rows[1]?.textContent).toContain(text);
    expect(rows[2]?.textContent).toContain("Nothing odd");
    expect(screen.getByRole("button", { name: "Save the patch" })).toBeTruthy();
    expect(screen.getByText(/git apply rules.patch/)).toBeTruthy();
  });

  test("says what to do where there is no rule", async () => {
    stubApi({ "/sb/v1/report/rules": { ...review, rules: [], patch: "", summary: "No rule." } });
    await renderPage(<RulesReviewPage />);
    expect(await screen.findByText("No rule file holds an alerting rule.")).toBeTruthy();
    expect(screen.queryByRole("button", { name: "Save the patch" })).toBeNull();
  });
});
