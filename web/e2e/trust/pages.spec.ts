import { expect, type Page, test } from "@playwright/test";
import { expectAccessible, expectNoSidewaysScroll, watch } from "../check";
import { pageOf, root, server, someone } from "./people";

test.skip(!server, "SIGNALBOX_TRUST_URL names no server that asks who one is");

const desktop = { width: 1440, height: 900 };
const phone = { width: 390, height: 844 };

/** The page fits both windows and breaks no rule of accessibility in either. */
async function expectSound(page: Page) {
  for (const size of [phone, desktop]) {
    await page.setViewportSize(size);
    await expectNoSidewaysScroll(page);
    await expectAccessible(page);
  }
}

/** The text that is shown once. */
function once(page: Page) {
  return page.getByRole("status").locator("pre");
}

test("a wrong password is told, a right one leads back to the page that was asked for", async ({ page }) => {
  const bad = watch(page);
  await page.goto("/audit?actor=user:root");
  await expect(page).toHaveURL(/\/login\?return=/);
  await expect(page.getByText("to go on to /audit?actor=user:root")).toBeVisible();
  // The page that was left for the login fails at nothing but that nobody is logged in.
  expect(bad.filter((one) => !one.includes("401"))).toEqual([]);
  await expectSound(page);
  await expect(page.getByRole("textbox", { name: "Name" })).toBeFocused();
  await page.keyboard.type(root.name);
  await page.keyboard.press("Tab");
  await page.keyboard.type("not the password");
  await page.keyboard.press("Enter");
  await expect(page.getByRole("alert")).toHaveText(/The name or the password is not right/);
  await expectSound(page);
  await page.getByRole("textbox", { name: "Password" }).fill(root.password);
  await page.keyboard.press("Enter");
  await expect(page).toHaveURL(
    (url) => url.pathname === "/audit" && url.searchParams.get("actor") === "user:root",
  );
  await expect(page.locator("h1")).toContainText("The audit log is as it was written");
});

test("the login leads to no page of anybody else", async ({ page }) => {
  for (const to of [
    "https://evil.example/",
    "//evil.example/x",
    "/\\evil.example",
    "javascript:alert(1)",
    "/login?return=/login",
  ]) {
    await page.context().clearCookies();
    await page.goto(`/login?return=${encodeURIComponent(to)}`);
    await page.getByRole("textbox", { name: "Name" }).fill(root.name);
    await page.getByRole("textbox", { name: "Password" }).fill(root.password);
    await page.keyboard.press("Enter");
    await expect(page.getByRole("button", { name: `Logged in as ${root.name}` })).toBeVisible();
    await expect(page, to).toHaveURL((url) => url.origin === server && url.pathname === "/");
  }
});

test("an administrator adds a user, who chooses a password and sees what they may and no more", async ({
  browser,
}) => {
  const admin = await pageOf(browser, root);
  const bad = watch(admin);
  await admin.goto("/admin");
  await expect(admin.locator("h1")).toContainText(/local users? may log in/);
  await expectSound(admin);
  const form = admin.getByRole("form", { name: "Add a user" });
  await form.getByRole("textbox", { name: "Name" }).fill("vera");
  await form.getByRole("button", { name: "Add the user" }).click();
  const link = await once(admin).innerText();
  await expectSound(admin);
  await form.getByRole("textbox", { name: "Name" }).fill("vera");
  await form.getByRole("button", { name: "Add the user" }).click();
  await expect(admin.getByRole("alert")).toContainText("vera");
  await admin.goto("/admin?tab=roles");
  const matrix = admin.getByRole("table", { name: "Roles" });
  const audit = matrix.getByRole("row", { name: /audit\.read/ });
  await expect(audit.getByText("may", { exact: true })).toHaveCount(1);
  await expectSound(admin);
  // But for the name that is taken.
  expect(bad.filter((one) => !one.includes("400"))).toEqual([]);

  const vera = await pageOf(browser);
  await vera.goto(link);
  await expect(vera.locator("h1")).toHaveText("Choose your password");
  await vera.getByLabel(/^Password/).fill("the long password of vera");
  await vera.getByRole("button", { name: "Set the password" }).click();
  await vera.getByRole("button", { name: "Logged in as vera" }).click();
  const menu = vera.getByRole("menu");
  await expect(menu.getByRole("menuitem", { name: "What I may" })).toBeVisible();
  await expect(menu.getByRole("menuitem", { name: "Users and roles" })).toHaveCount(0);
  await expect(menu.getByRole("menuitem", { name: "Audit log" })).toHaveCount(0);
  await menu.getByRole("menuitem", { name: "What I may" }).click();
  await expect(vera.locator("h1")).toContainText("You are vera and may");
  const may = vera.getByRole("table", { name: "Permissions" });
  await expect(may.getByRole("row", { name: /metrics\.read/ })).toContainText("the group signalbox:viewer");
  await expect(may.getByRole("row", { name: /audit\.read/ })).toContainText(
    "nothing gives it; an administrator can",
  );
  await expectSound(vera);
  for (const [path, missing] of [
    ["/admin", "auth.manage"],
    ["/admin?tab=tokens", "auth.manage"],
    ["/admin?tab=sessions", "auth.manage"],
    ["/audit", "audit.read"],
  ] as const) {
    await vera.goto(path);
    await expect(vera.getByRole("alert").first()).toContainText(missing);
    await expect(vera.locator("main")).not.toContainText("root");
    await expectSound(vera);
  }

  await admin.goto("/admin");
  await admin.getByRole("button", { name: "Disable vera" }).click();
  await expect(admin.getByRole("button", { name: "Enable vera" })).toBeVisible();
  await vera.goto("/services");
  await expect(vera).toHaveURL(/\/login\?return=/);
});

test("a token is shown once, works, and is of no use once it is revoked", async ({ browser, playwright }) => {
  const page = await pageOf(browser, root);
  await page.goto("/me");
  await page.getByRole("tab", { name: "Tokens" }).click();
  await expectSound(page);
  const form = page.getByRole("form", { name: "Make a token" });
  await form.getByRole("textbox", { name: "For" }).fill("grafana");
  await form.getByRole("button", { name: "Make it" }).click();
  const text = await once(page).innerText();
  expect(text).toMatch(/^sbx_/);
  await expectSound(page);
  const program = await playwright.request.newContext({
    baseURL: server,
    extraHTTPHeaders: { Authorization: `Bearer ${text}` },
  });
  expect((await program.get("/api/v1/query?query=1")).status()).toBe(200);
  expect((await program.get("/sb/v1/users")).status()).toBe(403);
  await page.reload();
  await expect(page.getByRole("row", { name: /grafana/ })).toBeVisible();
  await expect(page.locator("body")).not.toContainText(text);
  await page.getByRole("button", { name: "Revoke grafana" }).click();
  await expect(page.getByRole("row", { name: /grafana/ })).toHaveCount(0);
  expect((await program.get("/api/v1/query?query=1")).status()).toBe(401);
  await program.dispose();
  // What cannot be is refused in words.
  await form.getByRole("textbox", { name: "For" }).fill("grafana".repeat(30));
  await form.getByRole("button", { name: "Make it" }).click();
  await expect(page.getByRole("alert")).toContainText("200");
  await expectSound(page);
});

test("a session that was ended elsewhere leads to the login, and back to where one was", async ({
  browser,
  playwright,
}) => {
  const sam = await someone(playwright.request, "sam", ["signalbox:viewer"]);
  const here = await pageOf(browser, sam);
  const there = await pageOf(browser, sam);
  await there.goto("/logs?q=timeout");
  await there.locator("h1").waitFor();
  await here.goto("/me?tab=sessions");
  await expectSound(here);
  await expect(here.getByText("this one")).toBeVisible();
  await here.getByRole("button", { name: "Log out everywhere else" }).click();
  await expect(here.getByRole("button", { name: /^Log out there/ })).toHaveCount(0);
  await there.reload();
  await expect(there).toHaveURL(/\/login\?return=/);
  await there.getByRole("textbox", { name: "Name" }).fill(sam.name);
  await there.getByRole("textbox", { name: "Password" }).fill(sam.password);
  await there.getByRole("button", { name: "Log in" }).click();
  await expect(there).toHaveURL((url) => url.pathname === "/logs" && url.searchParams.get("q") === "timeout");
});

test("the audit log is searched, says when nothing fits, and is exported", async ({ browser }) => {
  const page = await pageOf(browser, root);
  await page.goto("/audit");
  await expect(page.locator("h1")).toContainText("as it was written");
  await page.getByRole("textbox", { name: "Action" }).fill("user.first");
  await page.getByRole("textbox", { name: "Who" }).fill("user:root");
  await page.keyboard.press("Enter");
  await expect(page).toHaveURL(/action=user\.first/);
  const rows = page.getByRole("table", { name: "Audit entries" }).getByRole("row");
  await expect(rows.filter({ hasText: "user.first" })).toHaveCount(1);
  await expectSound(page);
  const download = page.waitForEvent("download");
  await page.getByRole("link", { name: "Export as JSON" }).click();
  expect((await download).suggestedFilename()).toBe("audit.json");
  await page.getByRole("textbox", { name: "Who" }).fill("user:nobody-of-the-kind");
  await page.getByRole("button", { name: "Search" }).click();
  await expect(page.getByText("Nothing fits.")).toBeVisible();
  await expectSound(page);
});

test("logging in and out and everything between is done by keys alone", async ({ browser, playwright }) => {
  const kim = await someone(playwright.request, "kim", ["signalbox:responder"]);
  const page = await pageOf(browser);
  await page.goto("/me");
  await expect(page.getByRole("textbox", { name: "Name" })).toBeFocused();
  await page.keyboard.type(kim.name);
  await page.keyboard.press("Tab");
  await page.keyboard.type(kim.password);
  await page.keyboard.press("Enter");
  await expect(page.locator("h1")).toContainText("You are kim");
  const button = page.getByRole("button", { name: "Logged in as kim" });
  for (let n = 0; n < 40 && !(await button.evaluate((one) => one === document.activeElement)); n++) {
    await page.keyboard.press("Tab");
  }
  await expect(button).toBeFocused();
  await page.keyboard.press("Enter");
  await expect(page.getByRole("menu")).toBeVisible();
  await page.keyboard.press("Escape");
  await expect(button).toBeFocused();
  await page.keyboard.press("Enter");
  await expect(page.getByRole("menu").locator(":focus")).toHaveCount(1);
  await page.keyboard.press("ArrowDown");
  await expect(page.getByRole("menuitem", { name: "What I may" })).toBeFocused();
  await page.keyboard.press("End");
  await expect(page.getByRole("menuitem", { name: "Log out" })).toBeFocused();
  await page.keyboard.press("Enter");
  await expect(page).toHaveURL(/\/login$/);
  // Not what was read before, either.
  await page.goBack();
  await expect(page).not.toHaveURL(/\/me/);
  await expect(page.getByText("You are kim")).toHaveCount(0);
  await page.goto("/services");
  await expect(page).toHaveURL(/\/login\?return=/);
});
