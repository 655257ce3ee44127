// Made-up incidents: one that goes on, one that is mitigated, one that is over. What is changed stays until the server ends.

export const minute = 60_000;
export const day = 86_400_000;
export const iso = (ms: number) => new Date(ms).toISOString();

export type Made = ReturnType<typeof made>;

function page(id: string, title: string, service: string, at: number, ended?: number) {
  return {
    id,
    dedup_key: `slo/${id}`,
    title,
    severity: "critical",
    service,
    region: "eu-1",
    time: iso(at),
    alerts: 1,
    alert_names: ["SLOBurnRateFast"],
    ...(ended ? { ended: iso(ended) } : { acked_by: "Ana", acked_at: iso(at + 2 * minute) }),
    why: "it opened it",
  };
}

export function made(id: string, change: Record<string, unknown>, now: number) {
  return {
    id,
    title: "Layout latency burns 21× over 1 h",
    severity: "P1",
    status: "open",
    environment: "prod",
    region: "eu-1",
    services: ["edge", "layout"],
    times: {
      started: iso(now - 23 * minute),
      detected: iso(now - 22 * minute),
      acknowledged: iso(now - 20 * minute),
    },
    roles: { commander: "Ana" } as Record<string, string>,
    pages: {
      count: 1,
      firing: 1,
      alerts: 1,
      list: [page("p1", "Layout latency burns 21× over 1 h", "layout", now - 22 * minute)],
    },
    notes: [
      { time: iso(now - 22 * minute), by: "signalbox", kind: "change", text: "Opened by a page." },
      { time: iso(now - 15 * minute), by: "Ana", kind: "update", text: "We roll layout back to 2.4.0." },
    ],
    actions: [] as Record<string, unknown>[],
    origin: { by: "signalbox", namespaces: [], page: "p1" } as Record<string, unknown>,
    postmortem: {} as Record<string, unknown>,
    ...change,
  };
}

let kept: Made[] | undefined;

export function all(now: number): Made[] {
  kept ??= [
    made("2026-11-30-0000000a", {}, now),
    made(
      "2026-11-30-0000000b",
      {
        title: "File Server answers slowly",
        severity: "P2",
        status: "mitigated",
        services: ["file-server"],
        roles: {},
        times: {
          started: iso(now - 90 * minute),
          detected: iso(now - 88 * minute),
          mitigated: iso(now - 10 * minute),
        },
        pages: { count: 0, firing: 0, alerts: 0, list: [] },
        notes: [],
        origin: { by: "kim", namespaces: [] },
      },
      now,
    ),
    made(
      "2026-11-20-0000000c",
      {
        title: "Edge ran out of ports",
        status: "resolved",
        services: ["edge"],
        times: {
          started: iso(now - 10 * day),
          detected: iso(now - 10 * day + 2 * minute),
          acknowledged: iso(now - 10 * day + 5 * minute),
          mitigated: iso(now - 10 * day + 48 * minute),
          resolved: iso(now - 10 * day + 80 * minute),
        },
        pages: {
          count: 1,
          firing: 0,
          alerts: 1,
          list: [
            page(
              "p9",
              "Edge fails 12 % of requests",
              "edge",
              now - 10 * day + 2 * minute,
              now - 10 * day + 48 * minute,
            ),
          ],
        },
        actions: [
          {
            id: "t1",
            text: "Raise the limit of ports",
            term: "immediate",
            owner: "kim",
            due: iso(now - 3 * day),
          },
          {
            id: "t2",
            text: "Alert on the ports that are left",
            term: "short",
            owner: "Ana",
            done: iso(now - 5 * day),
          },
        ],
        postmortem: { summary: "A public endpoint used up the ports.", summarized_at: iso(now - 9.5 * day) },
      },
      now,
    ),
  ];
  return kept;
}
