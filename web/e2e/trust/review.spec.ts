import { readFileSync } from "node:fs";
import { expect, type Page, test } from "@playwright/test";
import { expectAccessible, expectNoSidewaysScroll, watch } from "../check";
import { done, login, pageOf, root, server, someone } from "./people";

test.skip(!server, "SIGNALBOX_TRUST_URL names no server that asks who one is");

async function expectSound(page: Page) {
  for (const colorScheme of ["light", "dark"] as const) {
    await page.emulateMedia({ colorScheme });
    for (const size of [
      { width: 390, height: 844 },
      { width: 1440, height: 900 },
    ]) {
      await page.setViewportSize(size);
      await expectNoSidewaysScroll(page);
      await expectAccessible(page);
    }
  }
}

test("the access review is filtered, sorted and saved, and is nobody's who may not manage access", async ({
  browser,
  playwright,
}) => {
  const nina = await someone(playwright.request, "nina", ["signalbox:viewer", "left-the-company"]);
  const admin = await playwright.request.newContext();
  await login(admin, root);
  await done(admin, "PATCH", "/sb/v1/users/nina", { disabled: true });
  await admin.dispose();
  const page = await pageOf(browser, root);
  const bad = watch(page);
  await page.goto("/admin");
  await page.getByRole("link", { name: "Access review" }).click();
  await expect(page.locator("h1")).toContainText(/users and .* have access; .* proposed/);
  await page.getByRole("textbox", { name: "With the words" }).fill("left-the-company");
  await expect(page).toHaveURL(/text=left-the-company/);
  const rows = page.getByRole("table", { name: "Access" }).getByRole("row");
  await expect(rows).toHaveCount(2);
  await expect(rows.nth(1)).toContainText("viewer on default by the group signalbox:viewer");
  await expect(rows.nth(1)).toContainText("take them out");
  await expectSound(page);
  await page.getByRole("button", { name: "Who" }).click();
  await expect(page).toHaveURL(/order=name/);
  await expect(page.getByRole("columnheader", { name: "Who" })).toHaveAttribute("aria-sort", "ascending");
  const download = page.waitForEvent("download");
  await page.getByRole("button", { name: "Save as CSV" }).click();
  const lines = readFileSync(await (await download).path(), "utf8").split("\n");
  expect(lines).toHaveLength(2);
  expect(lines[1]).toMatch(/^user,user:nina,.*disabled_with_groups/);
  await page.getByRole("textbox", { name: "With the words" }).fill("nothing of the kind");
  await expect(page.getByText("Nothing fits.")).toBeVisible();
  expect(bad).toEqual([]);

  const vic = await someone(playwright.request, "vic", ["signalbox:viewer"]);
  const other = await pageOf(browser, vic);
  await other.goto("/access-review");
  await expect(other.getByRole("alert").first()).toContainText("auth.manage");
  await expect(other.locator("main")).not.toContainText(nina.name);
  await expectSound(other);
});

test("the audit log says where it is shipped to", async ({ browser }) => {
  const page = await pageOf(browser, root);
  await page.goto("/audit");
  const shipping = page.getByRole("region", { name: "Shipping" });
  await expect(shipping).toContainText("The audit log is shipped nowhere.");
  await expect(shipping.getByRole("button", { name: "Copy the command" })).toBeVisible();
  await expectSound(page);
  const targets = [
    {
      name: "siem",
      kind: "syslog",
      address: "tls://siem.example.com:6514",
      shipped: 12,
      waiting: 3,
      lag_seconds: 900,
      sent: 12,
      failures: 7,
      refused: 1,
      missed: 0,
      last_success: new Date(Date.now() - 900_000).toISOString(),
      last_error: "connect to tls://siem.example.com:6514: connection refused",
      retry_at: new Date(Date.now() + 60_000).toISOString(),
    },
  ];
  await page.route("**/sb/v1/audit/targets", (route) => route.fulfill({ json: { targets } }));
  await page.reload();
  await expect(page.locator("header")).toContainText(
    "Receiver siem does not have 3 entries, the oldest for 15 m",
  );
  await expect(shipping).toContainText("Not reached");
  await expectSound(page);
});
