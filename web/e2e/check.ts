import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { expect, type Page } from "@playwright/test";

const axeSource = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

interface Violation {
  id: string;
  help: string;
  nodes: { target: string[]; failureSummary?: string }[];
}

/** WCAG 2.1 A and AA by axe: no violation. */
export async function expectAccessible(page: Page) {
  // Evaluated, not added as a script: the server's content security policy forbids foreign scripts.
  await page.evaluate(axeSource);
  const violations = await page.evaluate(async () => {
    const { axe } = window as unknown as {
      axe: { run: (root: Document, options: object) => Promise<{ violations: Violation[] }> };
    };
    const tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"];
    return (await axe.run(document, { runOnly: { type: "tag", values: tags } })).violations;
  });
  const readable = violations.map(
    (one) =>
      `${one.id}: ${one.help}\n${one.nodes
        .slice(0, 4)
        .map((node) => `  ${node.target.join(" ")}\n    ${node.failureSummary ?? ""}`)
        .join("\n")}`,
  );
  expect(readable, readable.join("\n")).toEqual([]);
}

/** Nothing but code and waterfalls scrolls sideways. */
export async function expectNoSidewaysScroll(page: Page) {
  const overflow = await page.evaluate(
    () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
  );
  expect(overflow, "the page is wider than the window").toBeLessThanOrEqual(0);
}

/** Collects what a page must not do: errors, and requests to any other host. */
export function watch(page: Page): string[] {
  const bad: string[] = [];
  page.on("pageerror", (error) => bad.push(`error: ${error.message}`));
  page.on("console", (message) => {
    if (message.type() === "error") bad.push(`console: ${message.text()}`);
  });
  page.on("request", (request) => {
    const url = new URL(request.url());
    if (
      url.protocol.startsWith("http") &&
      url.host !== new URL(page.url() === "about:blank" ? request.url() : page.url()).host
    ) {
      bad.push(`request to another host: ${request.url()}`);
    }
  });
  return bad;
}
