import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { coverageQuery, onCallQuery } from "~/api/oncall";
import type { Coverage, OnCallSchedule, Turn } from "~/api/types";
import { Answer } from "~/components/Answer";
import { CopyMenu } from "~/components/CopyMenu";
import { asCurl } from "~/components/clipboard";
import { type Column, DataTable } from "~/components/DataTable";
import { EmptyNote } from "~/components/EmptyNote";
import { PageHead } from "~/components/PageHead";
import { StateMark } from "~/components/StateMark";
import { When } from "~/components/When";
import { formatDuration } from "~/format/duration";
import { ChannelTable } from "./ChannelTable";
import { ContactTable } from "./ContactTable";
import { Drill } from "./Drill";
import { FairnessTable } from "./FairnessTable";
import { Heartbeats } from "./Heartbeats";
import { days, gapsOf, personName } from "./oncall";
import { Policies } from "./Policies";
import { ShiftStrip } from "./ShiftStrip";
import { Subscribe } from "./Subscribe";
import { Swaps } from "./Swaps";

const example =
  "# signalbox.yml\noncall_files: [oncall/*.yml]\n\n# oncall/edge.yml\npeople: [{name: ada}, {name: kim}]\nschedules:\n  - name: edge\n    time_zone: Europe/Berlin\n    layers: [{name: week, start: 2026-11-30, people: [ada, kim]}]";

/** Who is on call, who is next, and is there always somebody? */
export function OnCallPage() {
  const query = useQuery(onCallQuery);
  const list = query.data?.schedules;
  const nobody = list?.some((one) => !one.now);
  return (
    <>
      <PageHead
        title="On call"
        answer={
          query.data?.summary ?? (query.error ? "It is not known who is on call." : "Reading the schedules")
        }
        tone={list ? (nobody ? "danger" : list.length > 0 ? "ok" : "unknown") : undefined}
        actions={
          <CopyMenu
            items={[
              { label: "Copy as curl", text: () => asCurl("/sb/v1/oncall") },
              { label: "Copy as command", text: () => `signalbox oncall coverage --days ${days}` },
            ]}
          />
        }
      >
        By the schedules in <code>oncall_files</code> and what was swapped since.{" "}
        <Link to="/alerts">Alerts and pages</Link>
      </PageHead>
      <Answer query={query} what="who is on call" height={240}>
        {({ schedules }) =>
          schedules.length > 0 ? (
            <Schedules schedules={schedules} />
          ) : (
            <EmptyNote title="There is no on-call schedule yet." command={example}>
              A schedule says who is on call in every moment: people, rotations, time zones, holidays.
            </EmptyNote>
          )
        }
      </Answer>
      <div className="stack">
        <Heartbeats />
        <Policies />
        <Drill />
        <ContactTable />
        <ChannelTable />
      </div>
    </>
  );
}

const columns: Column<OnCallSchedule>[] = [
  { key: "name", head: "Schedule", cell: (one) => <strong>{one.name}</strong> },
  { key: "team", head: "Team", cell: (one) => one.team || "–" },
  {
    key: "now",
    head: "On call",
    cell: (one) => (one.now ? personName(one.now.person) : <StateMark tone="danger" word="nobody" />),
  },
  { key: "until", head: "Until", cell: (one) => (one.now ? <Until turn={one.now} /> : "–") },
  {
    key: "next",
    head: "Next",
    cell: (one) =>
      one.next ? (
        <>
          {personName(one.next.person)}, <When at={one.next.start ?? ""} />
        </>
      ) : (
        "–"
      ),
  },
  { key: "zone", head: "Time zone", cell: (one) => one.time_zone },
];

/** When a turn ends, or how far it was looked without an end. */
function Until({ turn }: { turn: Turn }) {
  if (turn.end) return <When at={turn.end} />;
  if (!turn.no_change_before) return "–";
  return (
    <>
      no change before <When at={turn.no_change_before} />
    </>
  );
}

function Schedules({ schedules }: { schedules: readonly OnCallSchedule[] }) {
  const coverage = useQuery(coverageQuery(days));
  return (
    <div className="stack">
      <section className="panel stack tight">
        <h2>Now</h2>
        <DataTable label="Who is on call" rows={schedules} columns={columns} rowKey={(one) => one.name} />
      </section>
      <section className="panel stack tight">
        <h2>The next two weeks</h2>
        {schedules.map((one) => (
          <ShiftStrip key={one.name} schedule={one.name} />
        ))}
      </section>
      <section className="panel stack tight">
        <h2>Gaps</h2>
        <Answer query={coverage} what="the gaps" height={80}>
          {(data) => <Gaps coverage={data} />}
        </Answer>
      </section>
      <Swaps schedules={schedules} />
      <FairnessTable />
      <Subscribe schedules={schedules} />
    </div>
  );
}

type NamedGap = ReturnType<typeof gapsOf>[number];

const gapColumns: Column<NamedGap>[] = [
  { key: "schedule", head: "Schedule", cell: (gap) => gap.schedule },
  { key: "from", head: "Nobody from", cell: (gap) => <When at={gap.start} /> },
  { key: "to", head: "To", cell: (gap) => <When at={gap.end} /> },
  {
    key: "for",
    head: "For",
    numeric: true,
    cell: (gap) => formatDuration((Date.parse(gap.end) - Date.parse(gap.start)) / 1000),
  },
];

function Gaps({ coverage }: { coverage: Coverage }) {
  const gaps = gapsOf(coverage);
  if (gaps.length === 0) {
    return (
      <p>
        <StateMark tone="ok" word="None" />: somebody is on call in every moment of the next {days} days.
      </p>
    );
  }
  return (
    <>
      <DataTable
        label="When nobody is on call"
        rows={gaps.slice(0, 50)}
        columns={gapColumns}
        rowKey={(gap) => gap.schedule + gap.start}
      />
      {gaps.length > 50 && (
        <p className="dim">
          {gaps.length - 50} more within {days} days.
        </p>
      )}
    </>
  );
}
