import { expect, test } from "@playwright/test";
import { expectAccessible, expectNoSidewaysScroll } from "./check";
import { known } from "./known";

// What a person does at 3 a.m. on a phone.

test("from the overview to the traces by thumb", async ({ page }) => {
  await page.goto("/");
  await page.locator("h1").waitFor();
  const bar = page.getByRole("navigation", { name: "Main" });
  const box = (await bar.boundingBox())!;
  expect(box.y + box.height).toBeGreaterThan(800);
  await bar.getByRole("link", { name: "Traces" }).tap();
  await expect(page).toHaveURL(/\/traces/);
  const first = page.getByRole("list", { name: "Traces" }).getByRole("link").first();
  await first.tap();
  await page.getByRole("treeitem").first().tap();
  await expect(page.getByRole("dialog").getByRole("link", { name: "Logs of this span" })).toBeVisible();
  await expectNoSidewaysScroll(page);
  await expectAccessible(page);
});

test("every control of the bar is large enough for a thumb", async ({ page }) => {
  await page.goto("/");
  for (const link of await page.getByRole("navigation", { name: "Main" }).getByRole("link").all()) {
    const box = await link.boundingBox();
    if (box) expect(Math.min(box.width, box.height)).toBeGreaterThanOrEqual(44);
  }
});

test("the time range opens within the window", async ({ page, request }) => {
  const { service } = await known(request);
  await page.goto(`/services/${encodeURIComponent(service)}`);
  await page.getByRole("button", { name: /Last 1 h/ }).tap();
  await page.getByRole("button", { name: "Last 15 m" }).tap();
  await expect(page).toHaveURL(/last=15m/);
  await expectNoSidewaysScroll(page);
});
