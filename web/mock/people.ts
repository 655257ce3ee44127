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

const crew = [
  { name: "ana", shown: "Ana" },
  { name: "ben", shown: "Ben" },
  { name: "lena", shown: "Lena" },
];
const week = 7 * 24 * 60 * minute;
const rotations = ["layout-primary", "layout-backup", "managers"];

/** A week each, from Monday 09:00 UTC; nobody is on call by managers. */
function shifts(schedule: string, from: number, to: number) {
  const offset = rotations.indexOf(schedule);
  if (offset < 0 || schedule === "managers") return [];
  const first = Date.parse("2026-01-05T09:00:00Z");
  const out = [];
  for (let k = Math.floor((from - first) / week); first + k * week < to; k++) {
    const person = crew[(((k + offset) % crew.length) + crew.length) % crew.length];
    const [start, end] = [Math.max(from, first + k * week), Math.min(to, first + (k + 1) * week)];
    out.push({ schedule, person, start: iso(start), end: iso(end), layer: "week" });
  }
  return out;
}

function schedules(now: number) {
  return rotations.map((name) => {
    const [current, next] = shifts(name, now - week, now + 2 * week).filter(
      (one) => Date.parse(one.end) > now,
    );
    return { name, team: "layout", time_zone: "UTC", people: crew, now: current, next };
  });
}

const policies = [
  {
    name: "layout",
    services: ["layout"],
    repeat: 1,
    repeat_after: "10m",
    steps: [
      { after: "0s", notify: [{ schedule: "layout-primary" }] },
      { after: "15m", notify: [{ schedule: "layout-backup" }] },
    ],
  },
];

/** What the paths below /sb/v1/oncall answer. */
export function oncall(item: string, sub: string, params: URLSearchParams, now: number, path: string) {
  const days = Number(params.get("days") ?? 30);
  const to = now + days * 24 * 60 * minute;
  switch (item) {
    case "":
      return { summary: "1 of 3 schedules has nobody on call.", schedules: schedules(now) };
    case "schedules":
      return { shifts: path.endsWith("/shifts") ? shifts(decodeURIComponent(sub), now, to) : [] };
    case "coverage":
      return {
        start: iso(now),
        end: iso(to),
        covered: false,
        schedules: rotations.map((schedule) => ({
          schedule,
          time_zone: "UTC",
          gaps: schedule === "managers" ? [{ start: iso(now), end: iso(to) }] : [],
        })),
      };
    case "fairness":
      return {
        start: iso(now - days * 24 * 60 * minute),
        end: iso(now),
        goal_pages_per_week: 2,
        people: crew.map((person, i) => ({
          person,
          time_zone: "Europe/Berlin",
          turns: 4 + i,
          hours: 672 + 12 * i,
          share: 1 / 3,
          night_hours: 252,
          weekend_hours: 192,
          holiday_hours: 0,
          pages: {
            count: 4 + 5 * i,
            per_week: 1 + 1.2 * i,
            over_goal: i > 0,
            night: i,
            weekend: 1,
            by_itself: 3,
            weeks: [{ monday: "2026-01-05", count: 4 + 5 * i }],
          },
        })),
      };
    case "swaps":
      return {
        swaps: [
          {
            id: "5d1c",
            state: "proposed",
            schedule: "layout-primary",
            from: "ben",
            to: "lena",
            start: iso(now + week),
            end: iso(now + 2 * week),
            reason: "a wedding",
            created: iso(now - 90 * minute),
            notes: ["lena is on call by layout-backup then already, and would have both"],
            told: "lena by email",
          },
        ],
      };
    case "policies":
      return {
        levels: [
          { name: "P0", page_after: "0s", severities: ["critical"] },
          { name: "P3", notice: true, severities: ["warning"] },
        ],
        policies,
        templates: [],
      };
    case "contacts":
      return {
        contacts: crew.map((one) => ({
          person: one.name,
          contact: "ntfy",
          channel: "ntfy",
          usable: true,
          verified: iso(now - week),
          by: one.name,
        })),
      };
  }
  return undefined;
}

export function heartbeats(now: number) {
  return {
    heartbeats: [
      {
        name: "backup",
        every: "1d",
        grace: "2h24m",
        severity: "critical",
        state: "ok",
        summary: "It was pinged in time.",
        last: iso(now - 300 * minute),
        due: iso(now + 1284 * minute),
      },
    ],
  };
}
