import { expect, test } from "@playwright/test";
import { expectAccessible, expectNoSidewaysScroll } from "../check";
import { firstAdmin, root, server } from "./people";

test.skip(!server, "SIGNALBOX_TRUST_URL names no server that asks who one is");

// What the console shows is opened, by keys alone.
test("the link of the console makes the first administrator, once", async ({ page }) => {
  await page.goto("/");
  await expect(page.locator("h1")).toHaveText("Log in");
  await page.goto("/setup");
  await expect(page.locator("h1")).toHaveText("This link is not whole");
  await expectAccessible(page);
  await page.goto(firstAdmin);
  await expect(page.locator("h1")).toHaveText("Become the first administrator");
  const name = page.getByRole("textbox", { name: "Name" });
  await expect(name).toBeFocused();
  await page.keyboard.type(root.name);
  await page.keyboard.press("Tab");
  await page.keyboard.type("too short");
  await page.keyboard.press("Tab");
  await expect(page.getByText("9 of 12 characters")).toBeVisible();
  await expectAccessible(page);
  await page.setViewportSize({ width: 390, height: 844 });
  await expectNoSidewaysScroll(page);
  await page.getByLabel(/^Password/).focus();
  await page.keyboard.press("ControlOrMeta+a");
  await page.keyboard.type("correct horse battery staple");
  await page.keyboard.press("Enter");
  await expect(page.getByRole("alert")).toContainText("one of those that are tried first");
  await page.keyboard.press("ControlOrMeta+a");
  await page.keyboard.type(root.password);
  await page.keyboard.press("Enter");
  await expect(page).toHaveURL((url) => url.pathname === "/");
  await expect(page.getByRole("button", { name: `Logged in as ${root.name}` })).toBeVisible();

  await page.context().clearCookies();
  await page.goto(firstAdmin);
  await page.getByRole("textbox", { name: "Name" }).fill("mallory");
  await page.getByLabel(/^Password/).fill("a password of mallory");
  await page.getByRole("button", { name: "Become administrator" }).click();
  await expect(page.getByRole("alert")).toContainText("This link is not valid");
  await expect(page).toHaveURL(/\/setup/);
});
