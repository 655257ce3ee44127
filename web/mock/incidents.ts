import { all, day, iso, type Made, made, minute } from "./incidentList.ts";

function timeline(one: Made) {
  const entries = [
    ...one.notes.map((note, at) => ({
      time: note.time,
      by: note.by,
      text: note.text,
      source: { kind: "note", id: `${one.id}#${at + 1}`, link: `/sb/v1/incidents/${one.id}` },
    })),
    ...one.pages.list.map((p) => ({
      time: p.time,
      text: `Page: ${p.title} (critical).`,
      source: { kind: "page", id: p.id, link: "/alerts" },
    })),
    {
      time: iso(Date.parse(one.times.started) - 3 * minute),
      by: "ci",
      text: "deploy of layout 2.4.1: succeeded.",
      source: { kind: "deploy", id: "d26", link: "/services/layout" },
    },
    {
      time: iso(Date.parse(one.times.started) + 6 * minute),
      by: "ci",
      text: "Gate about layout 2.4.2: blocked, the budget burns 21×.",
      source: { kind: "gate", id: "g1", link: "/sb/v1/gate/decisions/g1" },
    },
  ].sort((a, b) => a.time.localeCompare(b.time));
  return {
    entries,
    missing: [
      "silences, reloads and corrections, which are in the audit log: they are shown to who may read it",
    ],
  };
}

function similar(one: Made, now: number) {
  return all(now)
    .filter((other) => other.id !== one.id && other.services.some((name) => one.services.includes(name)))
    .map((other) => ({
      id: other.id,
      title: other.title,
      time: other.times.detected,
      severity: other.severity,
      score: 0.42,
      common: ["service edge", "alert SLOBurnRateFast"],
    }));
}

function clock(one: Made, now: number) {
  const { resolved } = one.times as { resolved?: string };
  if (!resolved) return [];
  const w = one.postmortem as Record<string, string | undefined>;
  return (
    [
      ["summary", 1, w.summarized_at],
      ["postmortem", 7, w.published_at],
      ["review", 14, w.reviewed_at],
    ] as const
  ).map(([step, days, done]) => {
    const due = Date.parse(resolved) + days * day;
    return { step, due: iso(due), done, state: done ? "done" : due < now ? "overdue" : "waiting" };
  });
}

function postmortem(one: Made, now: number) {
  const line = { kind: "note", id: one.id, link: `/sb/v1/incidents/${one.id}` };
  const w = one.postmortem as Record<string, string | undefined>;
  return {
    incident: one,
    written: w,
    impact: [{ text: `Services: ${one.services.join(", ")}.`, source: line }],
    timeline: timeline(one),
    clock: clock(one, now),
    similar: similar(one, now),
    markdown: `# ${one.title}\n\n${one.id} · ${one.severity} · ${one.status}\n\n## Incident summary\n\n${w.summary ?? "_To be written._"}\n\n## Root cause\n\n${w.root_cause ?? "_To be written._"}\n`,
  };
}

function figures(now: number) {
  const mean = (seconds: number, of: number) => ({ seconds, median_seconds: seconds * 0.8, of });
  const one = {
    incidents: 3,
    mttd: mean(95, 2),
    mtta: mean(150, 2),
    mttr: mean(3720, 2),
    unacknowledged: 1,
    unrecovered: 1,
  };
  const period = (back: number) => ({
    start: iso(now - (back + 30) * day),
    end: iso(now - back * day),
    all: one,
    services: ["edge", "layout"].map((service) => ({ ...one, service })),
  });
  return { periods: [period(30), period(0)] };
}

function change(one: Made, sub: string, asked: Record<string, unknown>, now: number) {
  const by = String(asked.by ?? "");
  switch (sub) {
    case "notes":
      one.notes.push({ time: iso(now), by, kind: String(asked.kind ?? "note"), text: String(asked.text) });
      break;
    case "status":
      one.status = String(asked.status);
      Object.assign(
        one.times,
        asked.status === "open"
          ? { mitigated: undefined, resolved: undefined }
          : { [String(asked.status)]: iso(now) },
      );
      break;
    case "actions": {
      const { by: _, ...task } = asked;
      const at = one.actions.findIndex((old) => old.id === asked.id);
      if (at >= 0) one.actions[at] = task;
      else one.actions.push({ ...task, id: `t${one.actions.length + 1}` });
      break;
    }
    case "postmortem":
      one.postmortem = { ...(asked.written as object), ...(asked.publish ? { published_at: iso(now) } : {}) };
      break;
    default: {
      const { by: _, ...edit } = asked;
      Object.assign(one, edit);
    }
  }
  return one;
}

/** What the server answers about incidents. */
export function incidents(
  item: string,
  sub: string,
  params: URLSearchParams,
  now: number,
  body: string,
): unknown {
  const list = all(now);
  const asked = body ? (JSON.parse(body) as Record<string, unknown>) : undefined;
  if (!item && asked) {
    const { by, ...order } = asked;
    const one = made(
      `2026-11-30-0000001${list.length}`,
      {
        roles: {},
        notes: [],
        pages: { count: 0, firing: 0, alerts: 0, list: [] },
        times: { started: iso(now), detected: iso(now) },
        origin: { by, namespaces: [] },
        ...order,
      },
      now,
    );
    list.unshift(one);
    return one;
  }
  if (!item) {
    const fits = (key: string, value: string | string[]) =>
      !params.get(key) || [value].flat().includes(params.get(key) ?? "");
    const words = (params.get("q") ?? "").toLowerCase().split(/\s+/);
    const rows = list.filter(
      (one) =>
        fits("status", one.status) &&
        fits("severity", one.severity) &&
        fits("service", one.services) &&
        words.every((word) => one.title.toLowerCase().includes(word)),
    );
    return { summary: "1 open, 1 mitigated.", incidents: rows };
  }
  if (item === "figures") return figures(now);
  if (item === "overdue")
    return {
      overdue: [
        {
          incident: "2026-11-20-0000000c",
          title: "Edge ran out of ports",
          what: "postmortem",
          owner: "Ana",
          due: iso(now - 3 * day),
        },
        {
          incident: "2026-11-20-0000000c",
          title: "Edge ran out of ports",
          what: "Raise the limit of ports",
          owner: "kim",
          due: iso(now - 3 * day),
        },
      ],
    };
  const one = list.find((other) => other.id === item);
  if (!one) return undefined;
  if (asked) return change(one, sub, asked, now);
  if (sub === "timeline") return timeline(one);
  if (sub === "postmortem") return postmortem(one, now);
  return { incident: one, similar: similar(one, now) };
}
