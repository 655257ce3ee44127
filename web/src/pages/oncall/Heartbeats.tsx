import { useQuery } from "@tanstack/react-query";
import { notServed } from "~/api/escalations";
import { heartbeatsQuery } from "~/api/oncall";
import type { Heartbeat } from "~/api/types";
import { Answer } from "~/components/Answer";
import { type Column, DataTable } from "~/components/DataTable";
import { StateMark, type Tone } from "~/components/StateMark";
import { When } from "~/components/When";
import { formatWindow } from "~/format/duration";

const tones: Record<Heartbeat["state"], Tone> = {
  new: "unknown",
  ok: "ok",
  late: "caution",
  missed: "danger",
  failed: "danger",
  unknown: "unknown",
};

const columns: Column<Heartbeat>[] = [
  { key: "name", head: "Heartbeat", cell: (one) => <strong>{one.name}</strong> },
  { key: "state", head: "State", cell: (one) => <StateMark tone={tones[one.state]} word={one.state} /> },
  { key: "every", head: "Every", cell: (one) => formatWindow(one.every) },
  { key: "last", head: "Last ping", cell: (one) => (one.last ? <When at={one.last} ago /> : "–") },
  { key: "due", head: "Missed at", cell: (one) => (one.due ? <When at={one.due} /> : "–") },
  { key: "summary", head: "What it says", full: true, cell: (one) => one.summary },
];

/** What has to say regularly that it works, and whether it does. */
export function Heartbeats() {
  const query = useQuery(heartbeatsQuery);
  if (notServed(query.error) || query.data?.heartbeats.length === 0) return null;
  return (
    <section className="panel stack tight">
      <h2>Heartbeats</h2>
      <Answer query={query} what="the heartbeats" height={80}>
        {({ heartbeats }) => (
          <DataTable label="Heartbeats" rows={heartbeats} columns={columns} rowKey={(one) => one.name} />
        )}
      </Answer>
    </section>
  );
}
