import { expect, test } from "@playwright/test";
import { expectAccessible, expectNoSidewaysScroll, watch } from "./check";
import { type Known, known } from "./known";

// What an owner of SLOs does with the past: replay it, report on it, see what was done about it.

let have: Known;
test.beforeAll(async ({ playwright, baseURL }) => {
  const request = await playwright.request.newContext({ baseURL: baseURL ?? "" });
  have = await known(request);
  await request.dispose();
});

test("a slider's target is replayed, compared, followed to its evidence and shown to a colleague", async ({
  page,
}) => {
  test.slow(); // one replay at a time, and four windows want one
  const bad = watch(page);
  await page.goto(`/slos/${encodeURIComponent(have.slo)}`);
  const whatif = page.getByRole("region", { name: "What if" });
  await whatif.getByRole("slider", { name: "Target" }).focus();
  await page.keyboard.press("End");
  await whatif.getByRole("link", { name: /^Replay 99.99 %/ }).click();
  await expect(page).toHaveURL(/\/backtest\?.*target=99\.99/);
  const form = page.getByRole("region", { name: "What is replayed" });
  await expect(form.getByText("SLOs, changed")).toBeVisible();
  await expect(form.locator(".cm-content")).toContainText("0.9999");
  await expectAccessible(page);
  await form.getByRole("combobox", { name: "Time to replay" }).click();
  await page.getByRole("option", { name: "Last 6 h" }).click();
  // One replay runs at a time, and the other windows' tests replay too.
  await expect(async () => {
    await form.getByRole("button", { name: "Replay A and B" }).click({ timeout: 1000 });
    await expect(page).toHaveURL(/job=/, { timeout: 3000 });
  }).toPass();
  await expect(page.getByRole("heading", { level: 1 })).toContainText(/With B you would|Nobody would/, {
    timeout: 60_000,
  });
  await expect(page.getByRole("table", { name: "Figures" })).toContainText("Pages");
  const timeline = page.getByRole("group", { name: /^Timeline/ });
  await timeline.focus();
  await page.keyboard.press("End");
  await expect(page.getByRole("table", { name: "SLOs" })).toBeVisible();
  await expectNoSidewaysScroll(page);
  await expectAccessible(page);
  const said = await page.getByRole("heading", { level: 1 }).innerText();
  await page.reload();
  await expect(page.getByRole("heading", { level: 1 })).toHaveText(said);
  await expect(page.getByText(/B .*changed or added/)).toBeVisible();
  await page.getByRole("link", { name: "its worst moment" }).first().click();
  await expect(page).toHaveURL(/\/slos\/.*from=.*to=/);
  expect(bad).toEqual([]);
});

test("YAML that cannot be read is shown at its line", async ({ page }) => {
  test.skip(!process.env.SIGNALBOX_URL, "the made-up server reads every document");
  await page.goto("/backtest?start=now-6h");
  const form = page.getByRole("region", { name: "What is replayed" });
  await form.getByRole("button", { name: "Add documents to B" }).click();
  await page.getByRole("menuitem", { name: "Paste YAML" }).click();
  await form
    .getByRole("textbox", { name: "pasted.yaml of B" })
    .fill("groups:\n  - name: g\n    rules:\n      - alert: A\n        expr: sum(\n");
  await form.getByRole("button", { name: "Replay A and B" }).click();
  await form.getByRole("button", { name: "B: pasted.yaml, line 5" }).click();
  await expect(form.getByRole("alert")).toContainText("unclosed left parenthesis");
  await expect(form.locator(".cm-lint-marker-error")).toHaveCount(1);
  await expectNoSidewaysScroll(page);
});

test("a report is picked, narrowed, downloaded and printed", async ({ page }) => {
  test.slow(); // the first report reads four weeks
  const bad = watch(page);
  await page.goto("/reports?period=last-28d&audience=internal");
  const table = page.getByRole("table", { name: "SLOs" });
  // Four weeks of every SLO are read for the first report.
  await expect(table).toContainText("Kept", { timeout: 40_000 });
  await expect(page.getByRole("heading", { level: 1 })).toContainText("SLOs were kept");
  await expect(page.getByRole("heading", { name: "What spent the budgets" })).toBeVisible();
  await expectNoSidewaysScroll(page);
  await expectAccessible(page);
  await page.getByText("For customers", { exact: true }).click();
  await expect(page.getByRole("heading", { name: "What spent the budgets" })).toHaveCount(0);
  await page.getByRole("combobox", { name: "Period" }).click();
  await page.getByRole("option", { name: "This month" }).click();
  await expect(page).not.toHaveURL(/period=/);
  const [file] = await Promise.all([
    page.waitForEvent("download"),
    page.getByRole("link", { name: "Markdown" }).click(),
  ]);
  expect(file.suggestedFilename()).toMatch(/\.md$/);
  await page.emulateMedia({ media: "print" });
  await expect(page.getByRole("navigation", { name: "Main" })).toBeHidden();
  await expect(page.getByRole("form", { name: "Which report" })).toBeHidden();
  await expect(table).toBeVisible();
  expect(bad).toEqual([]);
});

test("the rollbacks say what was done and why", async ({ page }) => {
  const bad = watch(page);
  await page.goto(`/services/${encodeURIComponent(have.service)}`);
  await page.getByRole("link", { name: "Rollbacks" }).click();
  await expect(page).toHaveURL(/\/remedies\?.*service=/);
  await expect(page.getByRole("heading", { level: 1 })).not.toHaveText(/Reading/);
  await page.goto("/remedies");
  const card = page.getByRole("article").first();
  await expect(card.or(page.getByText(/No breach was looked at/))).toBeVisible();
  if (await card.isVisible()) {
    await card.locator("[data-row]").click();
    await expect(page).toHaveURL(/open=/);
    await expect(card.getByRole("heading", { name: "What happened" })).toBeVisible();
  }
  await expectNoSidewaysScroll(page);
  await expectAccessible(page);
  expect(bad).toEqual([]);
});
