import { existsSync } from "node:fs";
import { defineConfig } from "@playwright/test";

// SIGNALBOX_URL names the running demo. Without it the built pages are served with made-up data.
const target = process.env.SIGNALBOX_URL;
// A server that asks everybody who they are, for what stands in e2e/trust.
const trust = process.env.SIGNALBOX_TRUST_URL;
// A server with tenants, for what stands in e2e/tenants.
const tenants = process.env.SIGNALBOX_TENANTS_URL;
// A server whose front door fails, for what stands in e2e/incident.
const incident = process.env.SIGNALBOX_INCIDENT_URL;
const chromium =
  process.env.CHROMIUM_PATH ??
  ["/usr/bin/chromium", "/usr/bin/chromium-browser"].find((path) => existsSync(path));
if (!chromium) throw new Error("These tests need Chromium: apt-get install chromium, or set CHROMIUM_PATH.");

const desktop = { width: 1440, height: 900 };
const phone = { width: 390, height: 844 };

export default defineConfig({
  testDir: "./e2e",
  timeout: 45_000,
  expect: { timeout: 15_000 },
  workers: 2,
  fullyParallel: true,
  reporter: [["list"]],
  use: {
    baseURL: target ?? "http://localhost:4302",
    launchOptions: { executablePath: chromium, args: ["--no-sandbox"] },
    locale: "en-GB",
    trace: "retain-on-failure",
    screenshot: "only-on-failure",
  },
  projects: [
    {
      name: "desktop-light",
      testIgnore: [/phone\.spec/, /e2e\/(trust|tenants|incident)\//],
      use: { viewport: desktop, colorScheme: "light" },
    },
    {
      name: "desktop-dark",
      testMatch: /(pages|slos|replays)\.spec/,
      testIgnore: /e2e\/(trust|tenants|incident)\//,
      use: { viewport: desktop, colorScheme: "dark" },
    },
    {
      name: "phone-light",
      testMatch: /(pages|phone|slos|replays)\.spec/,
      testIgnore: /e2e\/(trust|tenants|incident)\//,
      use: { viewport: phone, colorScheme: "light", hasTouch: true, isMobile: true },
    },
    {
      name: "phone-dark",
      testMatch: /(pages|slos|replays)\.spec/,
      testIgnore: /e2e\/(trust|tenants|incident)\//,
      use: { viewport: phone, colorScheme: "dark", hasTouch: true, isMobile: true },
    },
    ...(tenants
      ? [
          {
            name: "tenants",
            testDir: "./e2e/tenants",
            use: { viewport: desktop, baseURL: tenants },
          },
        ]
      : []),
    ...(incident
      ? [
          {
            name: "incident",
            testDir: "./e2e/incident",
            timeout: 240_000,
            use: { viewport: desktop, baseURL: incident },
          },
        ]
      : []),
    ...(trust
      ? [
          {
            name: "first",
            testMatch: /trust\/.*\.setup/,
            use: { viewport: desktop, baseURL: trust },
          },
          {
            name: "trust",
            testMatch: /trust\/.*\.spec/,
            dependencies: ["first"],
            timeout: 120_000,
            use: { viewport: desktop, baseURL: trust },
          },
        ]
      : []),
  ],
  ...(target
    ? {}
    : {
        webServer: {
          command: "npx vite preview",
          url: "http://localhost:4302",
          reuseExistingServer: true,
          timeout: 30_000,
        },
      }),
});
