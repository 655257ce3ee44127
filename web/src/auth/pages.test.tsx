import { screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, test } from "vitest";
import { AdminPage } from "~/pages/admin/AdminPage";
import { AuditPage } from "~/pages/audit/AuditPage";
import { MePage } from "~/pages/me/MePage";
import { apiError, renderPage, stubApi } from "~/test/render";
import { me } from "~/test/samples";

const now = new Date().toISOString();
const token = {
  id: "t1",
  name: "grafana",
  owner: "user:ann",
  maker: "user:ann",
  grants: [{ role: "viewer", tenants: ["shop"], namespaces: ["edge"] }],
  created: now,
  expires: now,
};
const roles = {
  roles: [{ name: "viewer", permissions: ["metrics.read"] }],
  permissions: [
    { permission: "metrics.read", allows: "ask PromQL" },
    { permission: "audit.read", allows: "search the audit log" },
  ],
};

test("who I am says what I may, and why", async () => {
  stubApi({ "/sb/v1/me": me });
  await renderPage(<MePage />, { url: "/me", path: "/me" });
  expect((await screen.findByText(/You are Ann Lee/)).textContent).toContain("may 1 of 2 things");
  const table = screen.getByRole("table", { name: "Permissions" });
  expect(within(table).getByText("the group signalbox:viewer")).toBeTruthy();
  expect(within(table).getByText(/an administrator can/)).toBeTruthy();
});

test("a token is made with what was asked, shown once, and revoked", async () => {
  const calls = stubApi({
    "/sb/v1/me": me,
    "/sb/v1/roles": roles,
    "/sb/v1/tokens": (call: { method: string }) =>
      call.method === "POST" ? { text: "sbx_secret", token } : { tokens: [token] },
    "/sb/v1/tokens/t1": { id: "t1" },
  });
  await renderPage(<MePage />, { url: "/me?tab=tokens", path: "/me" });
  expect(await screen.findByText("viewer on shop in edge")).toBeTruthy();
  await userEvent.type(screen.getByLabelText(/^For/), "ci");
  await userEvent.type(screen.getByLabelText("Namespaces"), "edge, web");
  await userEvent.click(screen.getByRole("button", { name: "Make it" }));
  expect(await screen.findByText("sbx_secret")).toBeTruthy();
  expect(JSON.parse(calls.find((call) => call.method === "POST")?.body ?? "")).toEqual({
    name: "ci",
    grants: [{ role: "viewer", tenants: [], namespaces: ["edge", "web"] }],
    lifetime: "30d",
  });
  await userEvent.click(screen.getByRole("button", { name: "Revoke grafana" }));
  await waitFor(() => expect(calls.some((call) => call.method === "DELETE")).toBe(true));
}, 15_000);

test("a user who is added comes with a link to hand over, and can be disabled", async () => {
  const ann = { name: "ann", groups: ["signalbox:viewer"], disabled: false, created: now };
  const calls = stubApi({
    "/sb/v1/users": (call: { method: string }) =>
      call.method === "POST" ? { user: ann, path: "/setup#eyJ" } : { users: [ann] },
    "/sb/v1/users/ann": ann,
  });
  await renderPage(<AdminPage />, { url: "/admin", path: "/admin" });
  expect(await screen.findByText("Has no password yet")).toBeTruthy();
  await userEvent.type(screen.getByLabelText(/^Name/), "kim");
  await userEvent.click(screen.getByRole("button", { name: "Add the user" }));
  expect(await screen.findByText(`${window.location.origin}/setup#eyJ`)).toBeTruthy();
  await userEvent.click(screen.getByRole("button", { name: "Disable ann" }));
  await waitFor(() => expect(calls.find((call) => call.method === "PATCH")?.body).toBe('{"disabled":true}'));
}, 15_000);

test("the matrix says which role may what", async () => {
  stubApi({ "/sb/v1/roles": roles, "/sb/v1/users": { users: [] } });
  await renderPage(<AdminPage />, { url: "/admin?tab=roles", path: "/admin" });
  const table = await screen.findByRole("table", { name: "Roles" });
  expect(within(table).getAllByText("may")).toHaveLength(1);
  expect(within(table).getAllByText("no")).toHaveLength(1);
});

test("the audit log is searched by what stands in the address, and says when it was touched", async () => {
  const calls = stubApi({
    "/sb/v1/audit": {
      entries: [
        { id: 9, time: now, actor: "user:ann", action: "page.ack", subject: "p1", details: { by: "x" } },
      ],
      next: "9",
    },
    "/sb/v1/audit/verify": { intact: false, entries: 6, fault: "audit entry 7 is missing" },
  });
  await renderPage(<AuditPage />, { url: "/audit?actor=user:ann&before=20", path: "/audit" });
  expect(await screen.findByText(/audit entry 7 is missing/)).toBeTruthy();
  expect(await screen.findByText("page.ack")).toBeTruthy();
  const asked = calls.find((call) => call.path === "/sb/v1/audit")?.params;
  expect([asked?.get("actor"), asked?.get("before"), asked?.get("limit")]).toEqual(["user:ann", "20", "100"]);
  expect(screen.getByRole("link", { name: "Older" }).getAttribute("href")).toContain("before=9");
  expect(screen.getByRole("link", { name: /Export/ }).getAttribute("href")).toContain("limit=1000");
});

test("who may not search it is told what is missing", async () => {
  const refused = apiError(403, "forbidden", "Ann may not do this: it needs the permission audit.read.");
  stubApi({ "/sb/v1/audit": refused, "/sb/v1/audit/verify": refused });
  await renderPage(<AuditPage />, { url: "/audit", path: "/audit" });
  expect((await screen.findByRole("alert")).textContent).toContain("audit.read");
});
