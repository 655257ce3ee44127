import { expect, test } from "@playwright/test";
import { expectAccessible, expectNoSidewaysScroll } from "./check";
import { type Known, known } from "./known";

// What an owner of a service does with SLOs, policies and decisions.

let have: Known;
let versions: string[];
test.beforeAll(async ({ playwright, baseURL }) => {
  const request = await playwright.request.newContext({ baseURL: baseURL ?? "" });
  have = await known(request);
  const detail = (await (await request.get(`/sb/v1/services/${have.service}`)).json()) as {
    versions: { value: string }[];
  };
  versions = detail.versions.map((one) => one.value);
  await request.dispose();
});

test("an SLO says what spent its budget, and the slider what another target would have meant", async ({
  page,
}) => {
  await page.goto(`/slos/${encodeURIComponent(have.slo)}`);
  const spent = page.getByRole("region", { name: "What spent the budget" });
  await expect(spent.getByRole("heading", { name: "By version" })).toBeVisible();
  await expect(
    spent
      .getByText(/% of bad, .* of all|stands out|Too few bad|All of it|no label|Nothing was spent|judged by/)
      .first(),
  ).toBeVisible();
  const whatif = page.getByRole("region", { name: "What if" });
  await expect(whatif.getByText(/It would have been/)).toBeVisible();
  const before = await whatif.getByText(/It would have been/).innerText();
  const slider = whatif.getByRole("slider", { name: "Target" });
  await slider.focus();
  await page.keyboard.press("End");
  await expect(slider).toHaveAttribute("aria-valuetext", "99.99 %");
  await expect(whatif.getByText(/It would have been/)).not.toHaveText(before);
  await expectNoSidewaysScroll(page);
});

test("what is left of a budget is one number: list, page, curve, what-if and the API", async ({
  page,
  request,
}) => {
  const path = `/sb/v1/slos/${encodeURIComponent(have.slo)}`;
  await page.goto(`/slos/${encodeURIComponent(have.slo)}`);
  const fact = (name: string) => page.locator("dl div").filter({ hasText: name }).locator("dd").first();
  // Traffic goes on: all are read again until a moment in which none changed between two readings.
  await expect(async () => {
    const whatif = page.getByRole("region", { name: "What if" });
    const said = await fact("Budget left").innerText();
    expect(await whatif.locator("dd").first().innerText()).toBe(said);
    await expect(whatif.getByText(/It would have been/)).toContainText(said.replace("−", ""));
    const curve = page
      .getByRole("group", { name: /^Legend of Budget left/ })
      .getByRole("row")
      .nth(1);
    expect(await curve.getByRole("cell").nth(1).innerText()).toBe(said);
    const slo = (await (await request.get(path)).json()) as { budget: { left_ratio: number } };
    expect(Math.abs(slo.budget.left_ratio * 100 - Number.parseFloat(said.replace("−", "-")))).toBeLessThan(
      0.6,
    );
  }).toPass({ timeout: 30_000 });
});

test("a band of the policy shows wherever the SLO shows", async ({ page, request }) => {
  const { slos } = (await (await request.get("/sb/v1/slos")).json()) as {
    slos: { name: string; service: string; band?: { name: string } }[];
  };
  const one = slos.find((slo) => slo.band && slo.band.name !== "normal");
  test.skip(!one, "no budget of this demo lies in a band now");
  const words = { caution: "Caution", "critical-fixes-only": "Critical fixes only", freeze: "Frozen" }[
    one?.band?.name ?? ""
  ] as string;
  for (const url of ["/", `/slos/${one?.name}`, `/services/${one?.service}`, "/gate/policies"]) {
    await page.goto(url);
    await expect(page.getByText(words, { exact: true }).first()).toBeVisible();
  }
});

test("the gate suggests the environments and versions that were deployed", async ({ page }) => {
  await page.goto(`/gate?service=${encodeURIComponent(have.service)}`);
  await page.getByLabel("Environment").first().click();
  await expect(page.getByRole("option", { name: "prod" })).toBeVisible();
  await page.getByRole("option", { name: "prod" }).click();
  await page.getByLabel("Version").first().click();
  await expect(page.getByRole("option").first()).toBeVisible();
  await expectNoSidewaysScroll(page);
});

test("a correction is added with a reason and taken back", async ({ page }) => {
  await page.goto(`/slos/${encodeURIComponent(have.slo)}`);
  const box = page.getByRole("region", { name: "Corrections" });
  await box.getByRole("button", { name: "Add a correction" }).click();
  await expectAccessible(page);
  const reason = `announced work ${test.info().project.name} ${Date.now()}`;
  await box.getByRole("textbox", { name: "Author" }).fill("lena");
  await box.getByRole("textbox", { name: "Reason" }).fill(reason);
  await box.getByRole("button", { name: "Take it out" }).click();
  await expect(box.getByRole("cell", { name: reason, exact: true })).toBeVisible();
  await expect(page.getByRole("region", { name: "By contract and as users felt it" })).toBeVisible();
  await box.getByRole("button", { name: `Take back: ${reason}` }).click();
  await expect(box.getByRole("cell", { name: reason, exact: true })).toHaveCount(0);
});

test("the policies name each service's band and lead to the gate", async ({ page }) => {
  await page.goto("/gate/policies");
  await expect(page.getByRole("heading", { level: 1 })).toContainText(/band|caution|frozen|critical/);
  await expect(page.getByRole("table", { name: /^Rules of / }).first()).toContainText("14× over 1 h");
  await expectNoSidewaysScroll(page);
  await expectAccessible(page);
  await page
    .getByRole("table", { name: "Services and bands" })
    .getByRole("link", { name: "Ask the gate" })
    .first()
    .click();
  await expect(page).toHaveURL(/\/gate\?.*service=/);
});

test("a decision is verified and replayed", async ({ page }) => {
  await page.goto(`/gate/${encodeURIComponent(have.decision)}`);
  await page.getByRole("button", { name: "Verify and replay" }).click();
  await expect(page.getByText("Signature verified")).toBeVisible();
  await expect(page.getByText("Same decision")).toBeVisible();
  await expectNoSidewaysScroll(page);
  await expectAccessible(page);
});

test("two versions are compared from a link", async ({ page }) => {
  const [baseline = "1", canary = "2"] = versions;
  await page.goto(`/gate/canary?service=${have.service}&baseline=${baseline}&canary=${canary}&window=1h`);
  await expect(page.getByRole("table", { name: "Checks" })).toBeVisible();
  await expect(page.getByText(/intervals|no requests/).first()).toBeVisible();
  await expect(page.getByRole("heading", { level: 1 })).not.toHaveText(/Comparing|could not/);
  await expectNoSidewaysScroll(page);
  await expectAccessible(page);
});

test("a service's proposal becomes an OpenSLO document", async ({ page }) => {
  await page.goto(`/slos/new?service=${have.service}`);
  await expect(page.getByText(/Achieved: /)).toBeVisible();
  await expect(page.locator("pre")).toContainText("apiVersion: openslo/v1");
  await page
    .getByRole("radio", { name: /Latency, within/ })
    .first()
    .check();
  await expect(page.locator("pre")).toContainText("_bucket{");
  await expect(page.getByText(/signalbox check slos slos\//)).toBeVisible();
  await expectNoSidewaysScroll(page);
  await expectAccessible(page);
});
