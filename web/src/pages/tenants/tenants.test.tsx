import { screen, within } from "@testing-library/react";
import { beforeEach, describe, expect, test } from "vitest";
import { get } from "~/api/client";
import { createQueryClient } from "~/api/queryClient";
import { askAs, tenantHeaders } from "~/api/tenant";
import type { TenantUsage } from "~/api/types";
import { renderPage, stubApi } from "~/test/render";
import { TenantsPage } from "./TenantsPage";
import { encryptedOf, healthOf, intakeOf, isNear, usedOf } from "./tenants";

const acme: TenantUsage = {
  name: "acme",
  served: true,
  active_series: 900,
  disk_bytes: { metrics: 1 << 20, events: 1 << 20 },
  at_rest: [
    { part: "samples", encrypted_by: [], partly: false },
    { part: "events", encrypted_by: ["events.encrypt"], partly: true },
    { part: "state", encrypted_by: [], partly: false },
    { part: "secrets", encrypted_by: ["seal.keys"], partly: false },
  ],
  since: new Date(Date.now() - 2 * 86_400_000).toISOString(),
  last_data: new Date().toISOString(),
  problems: { critical: 0, warnings: 1 },
  turns: [{ kind: "questions", now: 3, waiting: 9, most: 3 }],
  usage: {
    received_bytes: 4 << 20,
    received_samples: 1,
    received_logs: 1,
    received_spans: 1,
    query_seconds: 3,
    query_samples: 9,
    notifications: 0,
  },
  limits: {
    max_series: 1000,
    max_bytes: 0,
    max_samples: 1,
    max_queries: 1,
    max_requests: 1,
    max_disk_bytes: 0,
  },
  retention: { metrics: "90d" },
};

beforeEach(() => askAs(undefined));

describe("the tenants", () => {
  test("each says how it is, what it takes and how near its limits it is", async () => {
    const blue: TenantUsage = {
      ...acme,
      name: "blue",
      served: false,
      problem: "no room",
      turns: [],
      active_series: 1,
    };
    const unowned = [{ tenant: "old", where: "data/tenants/old", logs: 0, spans: 0, cure: "Name it again." }];
    stubApi({ "/sb/v1/tenants": { tenants: [acme, blue], unowned } });
    await renderPage(<TenantsPage />);
    const table = await screen.findByRole("table", { name: "Tenants" });
    const row = within(table).getByText("acme").closest("tr") as HTMLElement;
    for (const text of [
      "1 warning",
      "2 MiB a day",
      "logs and spans (not all yet), secrets",
      "questions 400 %, series 90 %",
    ]) {
      expect(within(row).getByText(text)).toBeTruthy();
    }
    expect(within(table).getByText("Not served: no room")).toBeTruthy();
    expect(screen.getByRole("heading", { level: 1 }).textContent).toContain("acme, blue have problems");
    expect(screen.getByText("Name it again.")).toBeTruthy();
  });

  test("one tenant alone is told how others are named", async () => {
    stubApi({ "/sb/v1/tenants": { tenants: [{ ...acme, name: "default", turns: [] }], unowned: [] } });
    await renderPage(<TenantsPage />);
    expect(await screen.findByText("Everything is of one tenant.")).toBeTruthy();
  });

  test("a limit of 0 is none, and an hour is not told as a day", () => {
    expect(usedOf(acme).map((one) => one.what)).toEqual(["questions", "series"]);
    expect(isNear({ ...acme, turns: [], active_series: 799 })).toBe(false);
    expect(intakeOf({ ...acme, since: new Date(0).toISOString() }, 1000)).toBe("4 MiB so far");
    expect(healthOf({ ...acme, problems: { critical: 2, warnings: 1 } }).word).toBe("2 critical");
  });

  test("what is encrypted is told part by part, and nothing is told as everything that is not", () => {
    expect(encryptedOf(acme)).toBe("logs and spans (not all yet), secrets");
    const by = (settings: string[]) => ({
      ...acme,
      at_rest: acme.at_rest.map((part) => ({ ...part, encrypted_by: settings })),
    });
    expect(encryptedOf(by([]))).toBe("nothing");
    expect(encryptedOf(by(["storage.encrypt"]))).toBe("everything");
    expect(encryptedOf(by(["events.encrypt"]))).toContain("not all yet");
  });
});

describe("the tenant that is asked", () => {
  test("goes with every question; what concerns the caller is of one", async () => {
    const sent: Record<string, string | null> = {};
    globalThis.fetch = (async (url: string, init?: RequestInit) => {
      sent[url] = new Headers(init?.headers).get("X-Scope-OrgID");
      return new Response("{}");
    }) as typeof fetch;
    await get("/sb/v1/slos");
    expect(sent["/sb/v1/slos"]).toBeNull();
    askAs("acme|blue");
    for (const path of ["/sb/v1/slos", "/sb/v1/status", "/sb/v1/me", "/sb/v1/metrics"]) await get(path);
    expect(sent).toEqual({
      "/sb/v1/slos": "acme|blue",
      "/sb/v1/status": "acme",
      "/sb/v1/me": "acme",
      "/sb/v1/metrics": "acme|blue",
    });
    expect(tenantHeaders("/sb/v1/me/sessions")).toEqual({ "X-Scope-OrgID": "acme" });
  });

  test("has answers of its own", () => {
    const client = createQueryClient();
    const hash = client.getDefaultOptions().queries?.queryKeyHashFn;
    const none = hash?.(["slos"]);
    askAs("acme");
    expect(hash?.(["slos"])).not.toBe(none);
  });
});
