import { expect, type Page, type Request, test } from "@playwright/test";
import { expectAccessible } from "./check";
import { type Known, known } from "./known";

// What a person does, at a desk.

let have: Known;
test.beforeAll(async ({ playwright, baseURL }) => {
  const request = await playwright.request.newContext({ baseURL: baseURL ?? "" });
  have = await known(request);
  await request.dispose();
});

function query(page: Page): URLSearchParams {
  return new URL(page.url()).searchParams;
}

test("from an SLO to its traces to their logs, one click each", async ({ page }) => {
  await page.goto(`/slos/${encodeURIComponent(have.slo)}`);
  await page.getByRole("link", { name: /^((Failing|Slow) traces|Traces of the service)$/ }).click();
  await expect(page).toHaveURL(/\/traces\?q=.*service/);
  // The SLO may have no bad trace now; the service has some.
  const rows = page.getByRole("list", { name: "Traces" }).getByRole("link");
  const found = await rows
    .first()
    .waitFor({ timeout: 5000 })
    .then(
      () => true,
      () => false,
    );
  if (!found) {
    await page.getByRole("textbox", { name: "Search the traces" }).fill(`service:${have.service}`);
    await page.keyboard.press("Enter");
  }
  await rows.first().click();
  await expect(page.getByRole("tree", { name: "Spans" })).toBeVisible();
  await expect(page.locator("h1")).not.toHaveText(/Reading/);
  await page.getByRole("link", { name: "Open in Logs" }).click();
  await expect(page).toHaveURL(/\/logs\?q=trace_id/);
  expect(query(page).get("from")).toBeTruthy();
});

test("the time range goes along from page to page and is in the address", async ({ page }) => {
  await page.goto("/services");
  await page
    .getByRole("group", { name: "Time range" })
    .getByRole("button", { name: /Last 1 h/ })
    .click();
  await page.getByRole("button", { name: "Last 6 h" }).click();
  await expect(page).toHaveURL(/last=6h/);
  await page.getByRole("navigation", { name: "Main" }).getByRole("link", { name: "Logs" }).click();
  await expect(page).toHaveURL(/\/logs\?last=6h/);
  await page
    .getByRole("group", { name: "Time range" })
    .getByRole("button", { name: /Last 6 h/ })
    .click();
  await page.getByText("UTC", { exact: true }).click();
  await expect(page).toHaveURL(/tz=utc/);
});

test("an unreadable custom range is explained", async ({ page }) => {
  await page.goto("/services");
  await page.getByRole("button", { name: /Last 1 h/ }).click();
  await expectAccessible(page);
  await page.getByRole("textbox", { name: "Last" }).fill("soon");
  await page.getByRole("button", { name: "Apply" }).click();
  await expect(page.getByRole("alert")).toContainText("90m");
});

test("a drag on a chart zooms every chart", async ({ page }) => {
  await page.goto(`/services/${encodeURIComponent(have.service)}`);
  const area = page.locator("figure .u-over").first();
  await area.waitFor();
  await area.scrollIntoViewIfNeeded();
  const box = (await area.boundingBox())!;
  await page.mouse.move(box.x + box.width * 0.4, box.y + box.height / 2);
  await page.mouse.down();
  await page.mouse.move(box.x + box.width * 0.6, box.y + box.height / 2, { steps: 6 });
  await page.mouse.up();
  await expect(page).toHaveURL(/from=.*&to=/);
  const span = Date.parse(query(page).get("to")!) - Date.parse(query(page).get("from")!);
  expect(span / 60_000).toBeGreaterThan(10);
  expect(span / 60_000).toBeLessThan(14);
});

test("keys go everywhere", async ({ page }) => {
  await page.goto("/");
  await page.locator("h1").waitFor();
  await page.keyboard.press("?");
  await expect(page.getByRole("dialog", { name: "Keys" })).toBeVisible();
  await expectAccessible(page);
  await page.keyboard.press("Escape");
  await expect(page.getByRole("dialog", { name: "Keys" })).toBeHidden();
  for (const [key, path] of [
    ["s", "/services"],
    ["a", "/alerts"],
    ["o", "/"],
  ] as const) {
    await page.keyboard.press("g");
    await page.keyboard.press(key);
    await expect(page).toHaveURL((url) => url.pathname === path);
  }
  await page.keyboard.press("g");
  await page.keyboard.press("s");
  await page.getByRole("table", { name: "Services" }).waitFor();
  await page.keyboard.press("j");
  await page.keyboard.press("j");
  await page.keyboard.press("k");
  await page.keyboard.press("Enter");
  await expect(page).toHaveURL(/\/services\/.+/);
  // The address changes first: until the page does, a row of the list has the focus, and the key takes it off that row.
  await expect(page.getByRole("table", { name: "Services" })).toBeHidden();
  await page.keyboard.press("Escape");
  await expect(page).toHaveURL((url) => url.pathname === "/services");
  await page.keyboard.press("/");
  await expect(page.getByRole("textbox", { name: "Search the logs" })).toBeFocused();
});

test("logs: search, open a line, filter by one of its fields, follow its trace", async ({ page }) => {
  await page.goto("/logs?last=15m");
  const box = page.getByRole("textbox", { name: "Search the logs" });
  await expect(box).toBeFocused();
  await box.fill("trace_id:*");
  await page.keyboard.press("Enter");
  await expect(page).toHaveURL(/q=trace_id/);
  await page.locator('[aria-label="Log lines"] [data-row]').first().click();
  const only = page.getByRole("button", { name: /^Only service / }).first();
  const label = await only.getAttribute("aria-label");
  await only.click();
  const service = label!.replace("Only service ", "");
  await expect(box).toHaveValue(new RegExp(`service:"?${service}`));
  const trace = page.getByRole("link", { name: "Open the trace" }).first();
  if (!(await trace.isVisible())) await page.locator('[aria-label="Log lines"] [data-row]').first().click();
  await trace.click();
  await expect(page.getByRole("tree", { name: "Spans" })).toBeVisible();
});

test("logs: a filter that cannot be read is shown with the place and a hint", async ({ page }) => {
  test.skip(!process.env.SIGNALBOX_URL, "the made-up server reads every filter");
  await page.goto("/logs");
  await page.getByRole("textbox", { name: "Search the logs" }).fill("level:error AND (");
  await page.keyboard.press("Enter");
  await expect(page.getByRole("alert")).toContainText("^");
});

test("logs: fields suggest themselves", async ({ page }) => {
  await page.goto("/logs?last=15m");
  const box = page.getByRole("textbox", { name: "Search the logs" });
  await box.fill("");
  await box.pressSequentially("lev");
  await page.getByRole("option", { name: "level:" }).click();
  await expect(box).toHaveValue("level:");
});

test("logs: the tail brings new lines and waits while one reads", async ({ page }) => {
  let open = 0;
  const isTail = (request: Request) => request.url().includes("/logs/tail");
  page.on("request", (request) => void (isTail(request) && open++));
  for (const ended of ["requestfinished", "requestfailed"] as const)
    page.on(ended as "requestfinished", (request) => void (isTail(request) && open--));
  await page.goto("/logs?last=15m&live=1");
  const rows = page.locator('[aria-label="Log lines"] [data-row]');
  await rows.first().waitFor();
  const before = await rows.first().innerText();
  await expect(async () => expect(await rows.first().innerText()).not.toBe(before)).toPass({
    timeout: 20_000,
  });
  await rows.first().click();
  await expect(page.getByRole("button", { name: /Paused while you read/ })).toBeVisible({ timeout: 20_000 });
  // It ends with the page it stands on.
  await expect.poll(() => open).toBe(1);
  await page.getByRole("navigation", { name: "Main" }).getByRole("link", { name: "Services" }).click();
  await expect.poll(() => open).toBe(0);
});

test("traces: slowest first, and a pasted id opens the trace", async ({ page }) => {
  await page.goto("/traces?last=15m");
  await page.getByText("Slowest", { exact: true }).click();
  await expect(page).toHaveURL(/order=slowest/);
  await page.getByRole("textbox", { name: "Search the traces" }).fill(have.trace);
  await page.keyboard.press("Enter");
  await expect(page).toHaveURL(new RegExp(`/traces/${have.trace}`));
});

test("a trace folds, is searched and shows a span that the address names", async ({ page }) => {
  await page.goto(`/traces/${have.trace}`);
  const spans = page.getByRole("treeitem");
  await spans.first().waitFor();
  const all = await spans.count();
  test.skip(all < 2, "a trace of one span has nothing to fold");
  await spans.first().focus();
  await page.keyboard.press("ArrowLeft");
  await expect(spans).toHaveCount(1);
  await page.keyboard.press("ArrowRight");
  await expect(spans).toHaveCount(all);
  await page.getByRole("textbox", { name: "Find a span" }).fill("e");
  await expect(page.getByRole("button", { name: "Next found span" })).toBeVisible();
  await spans.nth(1).click();
  await expect(page).toHaveURL(/span=/);
  await expect(page.getByRole("link", { name: "Logs of this span" })).toBeVisible();
  await expectAccessible(page);
  await page.reload();
  await expect(page.getByRole("link", { name: "Logs of this span" })).toBeVisible();
});

test("metrics: write a query, run it, see it as a table, come back by the history", async ({ page }) => {
  await page.goto("/query");
  const editor = page.getByRole("textbox", { name: "PromQL query 1" });
  await expect(editor).toBeFocused();
  await page.keyboard.type("vector(1)");
  await page.keyboard.press("Escape");
  await editor.focus();
  await page.keyboard.press("Enter");
  await expect(page).toHaveURL(/expr=vector/);
  await expect(page.getByRole("heading", { name: "1 series" })).toBeVisible();
  await page.getByText("Table", { exact: true }).click();
  await expect(page).toHaveURL(/view=table/);
  await expect(page.getByRole("table", { name: "Values of query 1" })).toBeVisible();
  await page.getByRole("button", { name: "History" }).click();
  await expect(page.getByRole("menuitem", { name: "vector(1)" })).toBeVisible();
});

test("metrics: a query that cannot be read says why", async ({ page }) => {
  await page.goto("/query?expr=sum(");
  await expect(page.getByRole("alert")).toContainText("parse error");
});

test("the gate answers and its evidence opens in Metrics", async ({ page }) => {
  await page.goto(`/gate?service=${encodeURIComponent(have.service)}&version=e2e`);
  await page.getByRole("button", { name: "Ask the gate" }).click();
  await expect(
    page
      .getByRole("status")
      .getByText(/Allowed|Held|Blocked|Not enough data/)
      .first(),
  ).toBeVisible();
  const evidence = page.getByRole("link", { name: "Open in Metrics" }).first();
  if (await evidence.isVisible()) {
    await evidence.click();
    await expect(page).toHaveURL(/\/query\?.*expr=/);
  }
});

test("a silence is made and ended", async ({ page }) => {
  const why = `e2e ${Date.now()}`;
  await page.goto("/alerts?tab=silences");
  await page.getByRole("textbox", { name: /Matching/ }).fill('alertname="NoSuchAlertE2E"');
  await page.getByRole("textbox", { name: /Your name/ }).fill("e2e");
  await page.getByRole("textbox", { name: /Why/ }).fill(why);
  await page.getByRole("button", { name: "Silence", exact: true }).click();
  await expect(page.getByText(/^Silenced for 2 h/)).toBeVisible();
  if (!process.env.SIGNALBOX_URL) return;
  const row = page.getByRole("row", { name: new RegExp(why) });
  await row.getByRole("button", { name: "Expire" }).click();
  await row.getByRole("button", { name: "End it now" }).click();
  await expect(row).toBeHidden();
});

test("the theme switches and is remembered", async ({ page }) => {
  await page.goto("/");
  const scheme = () => page.evaluate(() => document.documentElement.dataset.mantineColorScheme);
  const button = page.getByRole("navigation").getByRole("button", { name: /^Theme/ });
  await button.click();
  await button.click();
  expect(await scheme()).toBe("dark");
  await page.reload();
  expect(await scheme()).toBe("dark");
});

test("an address shows the same to a colleague", async ({ page, browser, baseURL }) => {
  await page.goto("/logs?q=level:error&from=2026-01-01T00:00:00Z&to=2026-01-01T01:00:00Z&tz=utc");
  const text = (other: Page) => other.getByRole("group", { name: "Time range" }).innerText();
  await page.getByRole("textbox", { name: "Search the logs" }).waitFor();
  const colleague = await browser.newPage({ baseURL: baseURL ?? "" });
  await colleague.goto(page.url());
  await expect(colleague.getByRole("textbox", { name: "Search the logs" })).toHaveValue("level:error");
  expect(await text(colleague)).toBe(await text(page));
  expect(await text(page)).toContain("1 Jan 00:00 – 01:00");
  await colleague.close();
});

test("a server that does not answer is said, and the page comes back by itself", async ({ page }) => {
  await page.route("**/sb/v1/slos", (route) => route.abort());
  await page.goto("/");
  await expect(page.getByRole("alert").first()).toContainText("The server does not answer.");
  await page.unroute("**/sb/v1/slos");
  await page.getByRole("button", { name: "Try again" }).click();
  await expect(page.getByRole("alert")).toHaveCount(0);
});
