import { screen, waitFor } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { describe, expect, it } from "vitest";
import { renderPage, stubApi } from "~/test/render";
import { page } from "~/test/samples";
import { AlertsPage } from "./AlertsPage";

const base = { "/api/v2/alerts": [], "/api/v2/silences": [], "/api/v1/rules": { data: { groups: [] } } };

describe("alerts and pages", () => {
  it("says who knows, puts what waits first and acknowledges in the reader's name", async () => {
    const calls = stubApi({
      ...base,
      "/sb/v1/pages": {
        pages: [page({ id: "p0", status: "resolved", title: "An old one" }), page({})],
        summary: "Nobody has answered yet.",
      },
      "/sb/v1/pages/p1/ack": page({ acked_by: "lena" }),
    });
    await renderPage(<AlertsPage />, { url: "/alerts", path: "/alerts" });
    expect(await screen.findByRole("heading", { level: 1, name: "Nobody has answered yet." })).toBeTruthy();
    const titles = (await screen.findAllByRole("article")).map((article) =>
      article.getAttribute("aria-label"),
    );
    expect(titles).toEqual(["Edge availability burns", "An old one"]);
    await userEvent.type(screen.getByRole("textbox", { name: "Your name" }), "lena");
    await userEvent.click(screen.getByRole("button", { name: "Acknowledge" }));
    await waitFor(() =>
      expect(calls.find((call) => call.path === "/sb/v1/pages/p1/ack")?.body).toBe('{"by":"lena"}'),
    );
  });

  it("counts only what wakes somebody as waiting, and does not ask twice for a name", async () => {
    localStorage.setItem("signalbox.who", "lena");
    stubApi({
      ...base,
      "/sb/v1/pages": {
        pages: [page({ id: "w", severity: "warning", title: "A warning" }), page({})],
        summary: "",
      },
    });
    await renderPage(<AlertsPage />, { url: "/alerts", path: "/alerts" });
    expect(
      await screen.findByRole("heading", { level: 1, name: /^1 page waits for an answer/ }),
    ).toBeTruthy();
    const titles = (await screen.findAllByRole("article")).map((article) =>
      article.getAttribute("aria-label"),
    );
    expect(titles).toEqual(["Edge availability burns", "A warning"]);
    expect(screen.getAllByRole("button", { name: "Acknowledge as lena" })).toHaveLength(2);
    expect(screen.queryByRole("textbox", { name: "Your name" })).toBeNull();
    localStorage.clear();
  });

  it("shows a failed delivery with its reason", async () => {
    const failed = {
      channel: "webhook[0]",
      time: page({}).time,
      status: "failed" as const,
      attempt: 2,
      error: "connection refused",
    };
    stubApi({ ...base, "/sb/v1/pages": { pages: [page({ deliveries: [failed] })], summary: "s" } });
    await renderPage(<AlertsPage />, { url: "/alerts", path: "/alerts" });
    expect(await screen.findByText(/1 of 1 deliveries failed/)).toBeTruthy();
    expect(screen.getByText(/connection refused/)).toBeTruthy();
  });

  it("creates a silence through Alertmanager's API, prefilled from the alert", async () => {
    const calls = stubApi({
      ...base,
      "/sb/v1/pages": { pages: [], summary: "" },
      "/api/v2/silences": (call: { method: string }) => (call.method === "POST" ? { silenceID: "x" } : []),
    });
    const url = `/alerts?tab=silences&matchers=${encodeURIComponent('{"alertname":"A","instance":"i"}')}`;
    await renderPage(<AlertsPage />, { url, path: "/alerts" });
    const matching = (await screen.findByRole("textbox", { name: /Matching/ })) as HTMLInputElement;
    expect(matching.value).toBe('alertname="A"');
    const name = screen.getByRole("textbox", { name: /Your name/ });
    await userEvent.clear(name);
    await userEvent.type(name, "lena");
    await userEvent.type(screen.getByRole("textbox", { name: /Why/ }), "planned work");
    await userEvent.click(screen.getByRole("button", { name: "Silence" }));
    await waitFor(() => expect(calls.some((call) => call.method === "POST")).toBe(true));
    const sent = JSON.parse(calls.find((call) => call.method === "POST")?.body ?? "{}");
    expect(sent).toMatchObject({
      createdBy: "lena",
      comment: "planned work",
      matchers: [{ name: "alertname", value: "A", isRegex: false, isEqual: true }],
    });
    expect(Date.parse(sent.endsAt) - Date.parse(sent.startsAt)).toBe(2 * 3600_000);
  });
});
