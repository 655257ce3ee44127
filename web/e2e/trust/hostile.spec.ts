import { type APIRequestContext, type Browser, expect, type Page, test } from "@playwright/test";
import { done, login, root, server } from "./people";

// What comes in from outside is text on every page, never script: names, lines, labels, reasons, links. The SLO, the rule and its
// alert stand in e2e/trust/hostile/, the rest is sent here as whoever may send it would.

test.skip(!server, "SIGNALBOX_TRUST_URL names no server that asks who one is");
test.describe.configure({ mode: "serial" });

const image = '"><img src=x onerror=pwned()>';
const script = "<script>pwned()</script>";
const link = "javascript:pwned()";
/** As a terminal and a template engine would like it, too. */
const line = `\u001b[31m${image}\u001b[0m\u202E ${script} {{constructor.constructor('pwned()')()}} [x](${link})`;
const traceId = "0af7651916cd43dd8448eb211c80319c";

const nanos = (ago: number) => `${(Date.now() - ago) * 1_000_000}`;
const attributes = (values: Record<string, string>) =>
  Object.entries(values).map(([key, value]) => ({ key, value: { stringValue: value } }));
const resource = {
  attributes: attributes({
    "service.name": script,
    "service.version": image,
    "deployment.environment.name": image,
    [image]: line,
  }),
};
const all = { "http.route": image, "url.full": link, "exception.message": line, [`a${image}`]: script };

async function send(request: APIRequestContext) {
  const spans = ["b7ad6b7169203331", "b7ad6b7169203332"].map((spanId, n) => ({
    traceId,
    spanId,
    parentSpanId: n ? "b7ad6b7169203331" : "",
    name: image,
    kind: 2,
    startTimeUnixNano: nanos(2000),
    endTimeUnixNano: nanos(1000),
    attributes: attributes(all),
    status: { code: 2, message: line },
    events: [{ timeUnixNano: nanos(1500), name: script, attributes: attributes(all) }],
  }));
  await done(request, "POST", "/v1/traces", {
    resourceSpans: [{ resource, scopeSpans: [{ scope: { name: image }, spans }] }],
  });
  const logRecords = [line, JSON.stringify({ [image]: script, msg: line })].map((text) => ({
    timeUnixNano: nanos(1000),
    severityText: image,
    severityNumber: 17,
    body: { stringValue: text },
    attributes: attributes(all),
    traceId,
    spanId: "b7ad6b7169203331",
  }));
  await done(request, "POST", "/v1/logs", { resourceLogs: [{ resource, scopeLogs: [{ logRecords }] }] });
  const dataPoints = [
    { timeUnixNano: nanos(1000), asDouble: 1, attributes: attributes({ [image]: image, where: script }) },
  ];
  const metrics = [{ name: "hostile", description: line, unit: script, gauge: { dataPoints } }];
  await done(request, "POST", "/v1/metrics", {
    resourceMetrics: [{ resource, scopeMetrics: [{ metrics }] }],
  });
  const annotations = { summary: line, runbook_url: link, description: image };
  const alert = {
    labels: { alertname: script, severity: "page", service: script, team: image },
    annotations,
  };
  // The link is refused where it must be one of the web.
  const sent = await request.post(`${server}/api/v2/alerts`, { data: [{ ...alert, generatorURL: link }] });
  if (!sent.ok()) await done(request, "POST", "/api/v2/alerts", [alert]);
}

async function act(request: APIRequestContext) {
  const [from, to] = [
    new Date(Date.now() - 60_000).toISOString(),
    new Date(Date.now() + 3_600_000).toISOString(),
  ];
  const matchers = [{ name: "team", value: `${image}x`, isRegex: false, isEqual: true }];
  await done(request, "POST", "/api/v2/silences", {
    matchers,
    startsAt: from,
    endsAt: to,
    createdBy: image,
    comment: line,
  });
  const deploy = {
    service: script,
    version: image,
    environment: image,
    message: line,
    actor: script,
    labels: { team: image },
  };
  expect((await request.post(`${server}/sb/v1/deploys`, { data: { ...deploy, link } })).status()).toBe(400);
  await done(request, "POST", "/sb/v1/deploys", deploy);
  const asked = { service: script, version: image, environment: image, actor: image };
  const { id } = await done<{ id: string }>(request, "POST", "/sb/v1/gate", asked);
  await done(request, "POST", `/sb/v1/gate/decisions/${id}/override`, { actor: image, reason: line });
  const correction = {
    author: image,
    reason: line,
    start: from,
    end: new Date(Date.now() - 1000).toISOString(),
    kind: "exclusion",
  };
  await done(request, "POST", "/sb/v1/slos/hostile/corrections", correction);
  await done(request, "POST", "/sb/v1/tokens", {
    name: image,
    grants: [{ role: "viewer", namespaces: [script] }],
  });
  await done(request, "POST", "/sb/v1/users", { name: "harmless", shown: image, groups: [script] });
  return id;
}

/** A page of an administrator whose browser calls itself what a page must not run. */
async function hostilePage(
  browser: Browser,
): Promise<{ page: Page; request: APIRequestContext; bad: string[] }> {
  const context = await browser.newContext({ baseURL: server, userAgent: image });
  await login(context.request, root);
  const bad: string[] = [];
  await context.exposeFunction("pwned", () => bad.push("a script ran"));
  await context.exposeFunction("told", (text: string) => bad.push(text));
  await context.addInitScript(() => {
    const tell = (window as unknown as { told: (text: string) => void }).told;
    document.addEventListener("securitypolicyviolation", (event) => {
      // What is fetched from elsewhere or run inline would have to be in the page first.
      tell(`policy: ${event.violatedDirective} ${event.blockedURI} ${event.sample} ${location.pathname}`);
    });
  });
  const page = await context.newPage();
  page.on("dialog", (dialog) => {
    bad.push(`dialog: ${dialog.message()}`);
    void dialog.dismiss();
  });
  page.on("pageerror", (error) => bad.push(`error: ${error.message}`));
  return { page, request: context.request, bad };
}

/** What of the page could run something, or lead where something runs. */
function dangers(page: Page): Promise<string[]> {
  return page.evaluate(() => {
    const out: string[] = [];
    for (const one of document.querySelectorAll("*")) {
      for (const { name, value } of one.attributes) {
        if (name.startsWith("on")) out.push(`${one.tagName} ${name}=${value}`);
        if (!["href", "src", "action", "formaction", "xlink:href", "srcdoc", "data"].includes(name)) continue;
        // As a browser reads it: without white space and controls.
        // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what a browser leaves out
        const read = value.replace(/[\u0000-\u0020]/g, "").toLowerCase();
        if (/^(javascript|vbscript|data:text)/.test(read) || name === "srcdoc")
          out.push(`${one.tagName} ${name}=${value}`);
        if (read === "x") out.push(`${one.tagName} of ours has ${name}=${value}`);
      }
      if (one.tagName === "SCRIPT" && !(one as HTMLScriptElement).src) out.push(`script: ${one.textContent}`);
      if (["IFRAME", "OBJECT", "EMBED", "BASE"].includes(one.tagName)) out.push(one.outerHTML);
    }
    return out;
  });
}

test("no page runs what comes in from outside", async ({ browser }) => {
  const { page, request, bad } = await hostilePage(browser);
  await send(request);
  const decision = await act(request);
  const alerts = () => done<{ labels: Record<string, string> }[]>(request, "GET", "/api/v2/alerts");
  await expect.poll(async () => (await alerts()).length, { timeout: 60_000 }).toBeGreaterThan(1);
  const services = () => done<{ services: { service: string }[] }>(request, "GET", "/sb/v1/services");
  await expect.poll(async () => JSON.stringify(await services()), { timeout: 60_000 }).toContain("pwned");
  await expect
    .poll(async () => JSON.stringify(await done(request, "GET", "/sb/v1/pages")), { timeout: 60_000 })
    .toContain("pwned");

  const enc = encodeURIComponent;
  // Where the text must stand, so that a page on which nothing was shown does not pass for a safe one.
  const shows: [string, boolean][] = [
    ["/", true],
    ["/slos/hostile", true],
    ["/services", true],
    [`/services/${enc(script)}`, true],
    ["/query?expr=%7B__name__%3D~%22hostile.*%22%7D&last=15m", true],
    ["/query?expr=%7B__name__%3D~%22hostile.*%22%7D&view=table", true],
    [`/query?expr=${enc(image)}&last=15m`, true],
    [`/graph?g0.expr=${enc(image)}`, true],
    ["/logs?last=15m", true],
    [`/logs?last=15m&q=${enc(`body:${line}`)}`, true],
    ["/traces?last=15m", true],
    [`/traces?q=${enc(image)}`, true],
    [`/traces/${traceId}`, true],
    [`/traces/${enc(image)}`, false],
    ["/alerts", true],
    ["/alerts?tab=alerts", true],
    ["/alerts?tab=silences", true],
    ["/alerts?tab=rules", true],
    [`/alerts/${enc(image)}`, true],
    [`/alerts/${enc(script)}`, true],
    ["/gate", true],
    [`/gate/${decision}`, true],
    [`/gate/canary?service=${enc(script)}&baseline=${enc(image)}&canary=${enc(image)}`, true],
    ["/gate/policies", false],
    ["/reports", false],
    ["/remedies", false],
    ["/backtest", false],
    [`/slos/new?service=${enc(script)}`, true],
    [`/slos/${enc(image)}`, false],
    ["/me?tab=tokens", true],
    ["/me?tab=sessions", true],
    ["/admin", true],
    ["/admin?tab=tokens", true],
    ["/admin?tab=sessions", true],
    ["/access-review", true],
    ["/audit", true],
    [`/audit?text=${enc(image)}`, true],
    [`/${enc(image)}`, false],
    [`/login?return=${enc(link)}`, false],
    [`/login?return=${enc(`/${image}`)}`, false],
    [`/setup#${enc(image)}`, false],
  ];
  for (const [path, shown] of shows) {
    await page.goto(path);
    await page.locator("h1").first().waitFor();
    if (shown) await expect(page.locator("body"), path).toContainText(/pwned\(\)/);
    await page.waitForLoadState("load");
    expect([path, ...(await dangers(page)), ...bad]).toEqual([path]);
  }

  // What opens on a click, too.
  await page.goto("/logs?last=15m");
  await page.locator('[aria-label="Log lines"] [data-row]').first().click();
  await page.goto(`/traces/${traceId}`);
  await page.getByRole("treeitem").first().click();
  await expect(page.getByRole("region", { name: /^Span / })).toContainText("exception.message");
  expect([...(await dangers(page)), ...bad]).toEqual([]);
});
