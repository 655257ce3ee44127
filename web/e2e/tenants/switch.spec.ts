import { expect, type Page, test } from "@playwright/test";
import { expectAccessible, expectNoSidewaysScroll, watch } from "../check";

// A server with tenants; scripts/test-browser.sh starts it.
const server = process.env.SIGNALBOX_TENANTS_URL ?? "";
test.skip(!server, "SIGNALBOX_TENANTS_URL names no server with tenants");

const desktop = { width: 1440, height: 900 };
const phone = { width: 390, height: 844 };

async function expectSound(page: Page) {
  for (const size of [phone, desktop]) {
    await page.setViewportSize(size);
    await expectNoSidewaysScroll(page);
    await expectAccessible(page);
  }
}

test.beforeAll(async ({ playwright }) => {
  const api = await playwright.request.newContext({ baseURL: server });
  for (const tenant of ["default", "acme", "blue"]) {
    const record = { timeUnixNano: `${Date.now()}000000`, body: { stringValue: `a line of ${tenant}` } };
    const answer = await api.post("/v1/logs", {
      headers: { "X-Scope-OrgID": tenant },
      data: { resourceLogs: [{ scopeLogs: [{ logRecords: [record] }] }] },
    });
    expect(answer.ok(), await answer.text()).toBe(true);
  }
  await api.dispose();
});

/** Which tenants' lines the page of logs shows. */
async function expectLines(page: Page, ...tenants: string[]) {
  for (const tenant of ["default", "acme", "blue"]) {
    const line = page.getByText(`a line of ${tenant}`).first();
    if (tenants.includes(tenant)) await expect(line).toBeVisible();
    else await expect(line).toHaveCount(0);
  }
}

test("the tenant that is chosen stands in the address, and goes along to every page", async ({ page }) => {
  const bad = watch(page);
  await page.goto("/logs?last=1h");
  await expectLines(page, "default");
  await page.getByRole("button", { name: "Choose a tenant" }).click();
  await expectAccessible(page);
  await page.getByRole("list", { name: "Tenants" }).getByRole("button", { name: "acme" }).click();
  await expect(page).toHaveURL((url) => url.searchParams.get("tenant") === "acme");
  await expectLines(page, "acme");
  await expectSound(page);
  for (const name of ["Services", "Alerts", "Gate", "Overview", "Logs"]) {
    await page.getByRole("navigation", { name: "Main" }).getByRole("link", { name, exact: true }).click();
    await expect(page, name).toHaveURL((url) => url.searchParams.get("tenant") === "acme");
    await expect(page.getByRole("button", { name: "Tenant acme" })).toBeVisible();
    await expect(page.getByRole("alert")).toHaveCount(0);
  }
  await page.reload();
  await expectLines(page, "acme");
  expect(bad).toEqual([]);
});

test("several are read together, and what is of one says so", async ({ page }) => {
  await page.goto("/logs?last=1h&tenant=blue");
  await expectLines(page, "blue");
  await page.getByRole("button", { name: "Tenant blue" }).click();
  for (const name of ["acme", "blue"]) await page.getByLabel(`Read ${name} together with others`).check();
  await page.getByRole("button", { name: "Read 2 together" }).click();
  await expect(page).toHaveURL((url) => url.searchParams.get("tenant") === "acme|blue");
  await expectLines(page, "acme", "blue");
  await expect(page.getByRole("note")).toContainText("acme and blue are read together");
  await expectSound(page);
  await page.goto("/gate?tenant=acme|blue");
  await expect(page.getByRole("alert").first()).toContainText("Choose one tenant to see");
  await expectSound(page);
  await page.goBack();
  await expectLines(page, "acme", "blue");
});

test("the page of tenants says what each takes, and leads to each", async ({ page }) => {
  await page.goto("/tenants");
  await expect(page.locator("h1")).toContainText("You may see 3 tenants");
  const table = page.getByRole("table", { name: "Tenants" });
  await expect(table.getByRole("row", { name: /blue/ })).toContainText(/series [\d.]+ %/);
  await expectSound(page);
  await table.getByRole("link", { name: "blue" }).click();
  await expect(page).toHaveURL((url) => url.pathname === "/" && url.searchParams.get("tenant") === "blue");
});

test("a tenant that is not there can be left", async ({ page }) => {
  await page.goto("/logs?last=1h&tenant=nobody");
  await expect(page.getByRole("alert").first()).toContainText("nobody");
  await page.getByRole("button", { name: "Tenant nobody" }).click();
  await page.getByRole("button", { name: "No tenant chosen" }).click();
  await expectLines(page, "default");
});
