import { screen } from "@testing-library/react";
import { beforeEach, describe, expect, it, test } from "vitest";
import { askAs } from "~/api/tenant";
import type { AuditTarget } from "~/api/types";
import { renderPage, stubApi } from "~/test/render";
import { AuditPage } from "./AuditPage";
import { behindAnswer, targetState } from "./shipping";

const siem: AuditTarget = {
  name: "siem",
  kind: "syslog",
  address: "tls://siem:6514",
  shipped: 12,
  waiting: 0,
  lag_seconds: 0,
  sent: 12,
  failures: 0,
  refused: 0,
  missed: 0,
  last_success: "2026-11-29T00:00:00Z",
};
const down = { last_error: "connection refused", waiting: 3, lag_seconds: 20, failures: 2 };

beforeEach(() => askAs(undefined));

describe("where the audit log is shipped to", () => {
  it.each([
    [siem, "Has everything", ""],
    [{ ...siem, waiting: 2 }, "Being sent", ""],
    [{ ...siem, shipped: 0 }, "Nothing sent yet", ""],
    [{ ...siem, ...down }, "Tried again", "Receiver siem does not have 3 entries, the oldest for 20 s."],
    [
      { ...siem, ...down, lag_seconds: 600 },
      "Not reached",
      "Receiver siem does not have 3 entries, the oldest for 10 m.",
    ],
    [{ ...siem, refused: 2 }, "Lacks entries", "Receiver siem refused 2."],
    [{ ...siem, missed: 1 }, "Lacks entries", "1 were gone from the log before siem got them."],
    [
      { ...siem, ...down, restarted: "it has another entry 4" },
      "Was sent another log",
      "Receiver siem had been sent another log.",
    ],
  ] as const)("is told of %j", (one, word, behind) => {
    expect(targetState(one).word).toBe(word);
    expect(behindAnswer([one])).toBe(behind);
  });

  const rest = { "/sb/v1/audit": { entries: [] }, "/sb/v1/audit/verify": { intact: true, entries: 12 } };

  test("stands on the page, with what went wrong last", async () => {
    stubApi({ ...rest, "/sb/v1/audit/targets": { targets: [{ ...siem, ...down }] } });
    await renderPage(<AuditPage />);
    expect(await screen.findByText("connection refused", { exact: false })).toBeTruthy();
    const answer =
      "The audit log is as it was written: 12 entries. Receiver siem does not have 3 entries, the oldest for 20 s.";
    expect(await screen.findByText(answer)).toBeTruthy();
    expect(screen.getByRole("table", { name: "Receivers" }).textContent).toContain("12 sent, 2 tries failed");
  });

  test("says that it is nowhere, and how that is changed", async () => {
    stubApi({ ...rest, "/sb/v1/audit/targets": { targets: [] } });
    await renderPage(<AuditPage />);
    expect(await screen.findByText("The audit log is shipped nowhere.")).toBeTruthy();
    expect(screen.getByText(/siem\.example\.com/)).toBeTruthy();
  });

  test("is not said of a tenant whose business it is not", async () => {
    askAs("acme");
    const calls = stubApi({ ...rest, "/sb/v1/audit/targets": { targets: [] } });
    await renderPage(<AuditPage />);
    expect(await screen.findByText(/as it was written: 12 entries/)).toBeTruthy();
    expect(screen.queryByText("The audit log is shipped nowhere.")).toBeNull();
    expect(calls.some((one) => one.path === "/sb/v1/audit/targets")).toBe(false);
  });
});
