import { expect, test } from "@playwright/test";
import { expectAccessible, expectNoSidewaysScroll, watch } from "./check";
import { type Known, known } from "./known";

// Every page, in each of the four windows: it answers, fits, breaks no rule of accessibility and asks no other host.

let have: Known;
test.beforeAll(async ({ playwright, baseURL }) => {
  const request = await playwright.request.newContext({ baseURL: baseURL ?? "" });
  have = await known(request);
  await request.dispose();
});

const pages: { name: string; path: () => string; ready: string }[] = [
  { name: "overview", path: () => "/", ready: "table[aria-label], article[aria-label]" },
  { name: "SLO", path: () => `/slos/${encodeURIComponent(have.slo)}`, ready: "figure .u-over" },
  { name: "services", path: () => "/services", ready: 'table[aria-label="Services"]' },
  { name: "service", path: () => `/services/${encodeURIComponent(have.service)}`, ready: "figure .u-over" },
  { name: "metrics, empty", path: () => "/query", ready: ".cm-content" },
  { name: "metrics", path: () => "/query?expr=up&last=15m", ready: "figure .u-over" },
  { name: "metrics as a table", path: () => "/query?expr=up&view=table", ready: "table" },
  { name: "logs", path: () => "/logs?last=15m", ready: '[aria-label="Log lines"] [data-row]' },
  { name: "traces", path: () => "/traces?last=15m", ready: 'ul[aria-label="Traces"] a' },
  { name: "trace", path: () => `/traces/${have.trace}`, ready: '[role="treeitem"]' },
  { name: "pages", path: () => "/alerts", ready: '[role="tabpanel"]' },
  { name: "active alerts", path: () => "/alerts?tab=alerts", ready: '[role="tabpanel"] :is(table, h3)' },
  { name: "silences", path: () => "/alerts?tab=silences", ready: '[role="tabpanel"] form' },
  { name: "rules", path: () => "/alerts?tab=rules", ready: '[role="tabpanel"] :is(table, h3)' },
  { name: "explanation", path: () => `/alerts/${encodeURIComponent(have.alert)}`, ready: "h1" },
  { name: "who is on call", path: () => "/oncall", ready: 'ol[aria-label="Shifts of platform-primary"]' },
  { name: "incidents", path: () => "/incidents", ready: '[aria-label="Incidents"] :is(table, h3)' },
  { name: "catalogue", path: () => "/catalog", ready: 'table[aria-label="Catalogue"]' },
  { name: "runbooks", path: () => "/runbooks", ready: 'table[aria-label="Runbooks"]' },
  { name: "runbook", path: () => "/runbooks/edge-5xx", ready: "article h2" },
  { name: "gate", path: () => "/gate", ready: 'table[aria-label="Gate decisions"]' },
  { name: "gate decision", path: () => `/gate/${encodeURIComponent(have.decision)}`, ready: "h1" },
  { name: "an address without a page", path: () => "/nowhere/at/all", ready: "h1" },
];

for (const { name, path, ready } of pages) {
  test(`${name} answers, fits and is accessible`, async ({ page }) => {
    const bad = watch(page);
    await page.goto(path());
    await page.locator(ready).first().waitFor({ state: "visible" });
    await expect(page.locator("h1")).toHaveCount(1);
    await expect(page.locator("h1")).not.toHaveText(/^Reading/);
    await expect(page).toHaveTitle(/Signalbox/);
    await expectNoSidewaysScroll(page);
    await expectAccessible(page);
    expect(bad).toEqual([]);
    expect(await page.locator("body").innerText()).not.toMatch(/[a-z]!(\s|$)|undefined|\bNaN\b|\[object/);
  });
}
