import type { Incident, IncidentTimeline } from "~/api/types";

export const begun = "2026-11-21T14:00:00Z";

/** An incident for tests: it goes on since `begun`, Ana leads it, one page fires in it. */
export function incident(change: Partial<Incident> = {}): Incident {
  return {
    id: "i1",
    title: "Edge fails.",
    severity: "P1",
    status: "open",
    services: ["edge"],
    times: { started: begun, detected: "2026-11-21T14:01:30Z" },
    roles: { commander: "Ana" },
    pages: {
      count: 1,
      firing: 1,
      alerts: 2,
      list: [
        {
          id: "p1",
          dedup_key: "edge",
          title: "Edge fails 12 % of requests",
          severity: "critical",
          service: "edge",
          time: "2026-11-21T14:01:30Z",
          alerts: 2,
          alert_names: ["EdgeErrors"],
          acked_by: "Ben",
          acked_at: "2026-11-21T14:04:00Z",
          why: "it opened it",
        },
      ],
    },
    notes: [{ time: "2026-11-21T14:06:00Z", by: "Ana", kind: "update", text: "We roll back." }],
    actions: [],
    origin: { by: "signalbox", namespaces: [], page: "p1" },
    postmortem: {},
    ...change,
  };
}

export const timeline: IncidentTimeline = {
  entries: [
    {
      time: "2026-11-21T13:58:00Z",
      by: "ci",
      text: "deploy of edge 2.4.1: succeeded.",
      source: { kind: "deploy", id: "d1", link: "/services/edge" },
    },
    {
      time: "2026-11-21T14:01:30Z",
      text: "Page: Edge fails 12 % of requests (critical).",
      source: { kind: "page", id: "p1", link: "/alerts" },
    },
    {
      time: "2026-11-21T14:06:00Z",
      by: "Ana",
      text: "We roll back.",
      source: { kind: "note", id: "i1#1", link: "/sb/v1/incidents/i1" },
    },
  ],
  missing: ["silences, which are shown to who may read the audit log"],
};
