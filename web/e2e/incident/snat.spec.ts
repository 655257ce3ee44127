import { expect, test } from "@playwright/test";
import { expectAccessible, expectNoSidewaysScroll } from "../check";
import { FrontDoor } from "./frontdoor";

// From the first 5xx to the published postmortem. scripts/test-browser.sh starts the server.
const server = process.env.SIGNALBOX_INCIDENT_URL ?? "";
test.skip(!server, "SIGNALBOX_INCIDENT_URL names no server for the incident");

test("the front door fails, and the cause stands in a metric that nobody watches", async ({
  page,
  playwright,
}) => {
  const api = await playwright.request.newContext({ baseURL: server });
  const door = new FrontDoor(api);
  try {
    await test.step("a DNS cut-over, and minutes later the first 5xx", async () => {
      await door.mark();
      await door.past();
    });

    await test.step("Mara is paged, does not answer, and the lead is paged", async () => {
      await page.goto("/alerts");
      await expect(page.getByText("FrontDoor5xx").first()).toBeVisible({ timeout: 60_000 });
      await expect
        .poll(
          async () => {
            const { pages } = await (await api.get("/sb/v1/pages")).json();
            const id = pages[0]?.id;
            return id ? (await api.get(`/sb/v1/pages/${id}/escalation`)).text() : "";
          },
          { timeout: 60_000 },
        )
        .toMatch(/"person":"mara"[\s\S]*"person":"lead"/);
    });

    await test.step("the page has become an incident; somebody takes it", async () => {
      await page.goto("/incidents");
      await page.getByRole("link", { name: "The front door answers 5xx" }).first().click();
      await page.getByRole("textbox", { name: "Your name" }).first().fill("mara");
      await page.getByRole("button", { name: "Acknowledge as mara" }).click();
      await page.getByRole("button", { name: "I lead it" }).click();
      await expect(page.getByRole("region", { name: "About it" })).toContainText("mara");
    });

    const timeline = page.getByRole("list", { name: "Timeline" });
    await test.step("the timeline names the change, and the metric that nobody watches", async () => {
      await expect(timeline).toContainText("DNS cut-over: the cache is called by its public name");
      const unusual = timeline
        .getByRole("listitem")
        .filter({ hasText: "Unusual: front_door_snat_ports_used" });
      await expect(unusual).toContainText("of front_door_snat_ports_limit", { timeout: 60_000 });
      await expect(unusual).toContainText("No rule watches it.");
      for (const usual of ["cpu_utilization", "memory_utilization", "db_connections", "pods_ready"]) {
        await expect(timeline.getByText(`Unusual: front_door_${usual}`)).toHaveCount(0);
      }
      await expectAccessible(page);
      await unusual.getByRole("link", { name: "Metric" }).click();
      await expect(page).toHaveURL(/\/query\?.*front_door_snat_ports_used/);
      await expect(page.locator("figure").first()).toBeVisible();
      await page.goBack();
    });

    const incident = page.url();
    await test.step("the runbook has the step for it", async () => {
      await page.getByRole("link", { name: "Runbook: The front door answers 5xx" }).click();
      await expect(page.getByText("Raise the limit for each node.")).toBeVisible();
      await page.goto(incident);
    });

    await test.step("the limit is raised, and it ends", async () => {
      await page
        .getByRole("textbox", { name: "What is to be said" })
        .fill("Raised the SNAT ports of each node from 1,024 to 4,096.");
      await page.getByRole("button", { name: "Add a note" }).click();
      await expect(timeline).toContainText("Raised the SNAT ports of each node");
      door.repair();
      await expect(timeline).toContainText("Page ended", { timeout: 90_000 });
      await page
        .getByRole("textbox", { name: "What is to be said" })
        .fill("No 5xx any more; the cache gets a private endpoint.");
      await page.getByRole("button", { name: "It is resolved" }).click();
      await expect(page.getByRole("button", { name: "Open it again" })).toBeVisible();
    });

    await test.step("the postmortem is there but for what only people know, and is published", async () => {
      await page.getByRole("tab", { name: "Postmortem" }).click();
      const draft = page.locator("pre");
      for (const line of [
        /dns-cut-over.*\[deploy /,
        /front_door_snat_ports_used.*\[metric /,
        /Acknowledged.*\[page /,
      ]) {
        await expect(draft).toContainText(line);
      }
      const form = page.getByRole("form", { name: "Write the postmortem" });
      await form
        .getByRole("textbox", { name: "Summary" })
        .fill("After a DNS cut-over the front door ran out of SNAT ports.");
      await form
        .getByRole("textbox", { name: "Root cause" })
        .fill("The cache was called by its public name: every call took a port of the node.");
      await form.getByRole("button", { name: "Publish" }).click();
      const steps = page.getByRole("table", { name: "By when" });
      await expect(steps.getByRole("row", { name: /The postmortem is published/ })).toContainText("done");
      await expect(draft).toContainText("every call took a port of the node");
      for (const size of [
        { width: 390, height: 844 },
        { width: 1440, height: 900 },
      ]) {
        await page.setViewportSize(size);
        await expectNoSidewaysScroll(page);
        await expectAccessible(page);
      }
    });
  } finally {
    door.stop();
    await api.dispose();
  }
});
