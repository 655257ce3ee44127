/** Who is told of what, made up. */

const minute = 60_000;
const iso = (ms: number) => new Date(ms).toISOString();

function attempt(at: number, to: string, channel: string, change: object = {}) {
  return {
    kind: "page",
    to,
    channel,
    why: "step 1 of policy layout: on call by layout-primary",
    state: "delivered",
    due: iso(at),
    at: iso(at + 800),
    tries: 1,
    round: 1,
    ...change,
  };
}

export function escalation(now: number, page: string) {
  if (page !== "p1")
    return {
      summary:
        "It is P3, but no escalation policy is for it: only the receivers of alertmanager.yml are told.",
      level: "P3",
      level_text: "notices, and pages nobody",
      level_why: "severity=warning",
      policy_why: "none names it, its service or its team, and there is no default",
      round: 0,
      notices: [],
      steps: [],
      news: [],
      events: [],
    };
  const then = now - 22 * minute;
  return {
    page,
    summary: "It is P0, by the policy layout. Nobody has acknowledged yet.",
    state: "paging",
    level: "P0",
    level_text: "notices and pages at once",
    level_why: "severity=critical",
    policy: "layout",
    policy_why: "it is for the service layout",
    round: 1,
    next: iso(now + 9 * minute),
    notices: [attempt(then, "slack #layout-alerts", "slack", { kind: "notice", round: 0 })],
    steps: [
      {
        number: 1,
        after: "0s",
        state: "begun",
        who: [{ target: "on call by layout-primary", person: "ana", by: ["ntfy", "telegram after 2 m"] }],
        attempts: [
          attempt(then, "ana", "ntfy", { round: 0, receipt: "Vw3gOoHrLb2n" }),
          attempt(then + 2 * minute, "ana", "telegram", { round: 0, receipt: "4711" }),
          attempt(now - 6 * minute, "ana", "ntfy", { receipt: "Vw3gOoHrLb9z" }),
          attempt(now - 4 * minute, "ana", "telegram", {
            state: "failed",
            tries: 3,
            note: "the chat 4…2 is blocked by its owner",
          }),
        ],
      },
      {
        number: 2,
        after: "15m",
        state: "next",
        who: [{ target: "on call by layout-backup", person: "ben", by: ["ntfy", "email after 5 m"] }],
        attempts: [attempt(now - 16 * minute, "ben", "ntfy", { round: 0, receipt: "Qh20zPk1mM3x" })],
      },
      {
        number: 3,
        after: "15m",
        state: "later",
        who: [{ target: "on call by managers", nobody: "nobody is on call by managers", by: [] }],
        attempts: [],
      },
    ],
    news: [],
    events: [
      { time: iso(then), text: "step 1 tells ana (on call by layout-primary)" },
      { time: iso(now - 6 * minute), text: "nobody has taken it: the chain begins anew, for the 2nd time" },
    ],
  };
}
