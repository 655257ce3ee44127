import { useQuery } from "@tanstack/react-query";
import { fairnessQuery } from "~/api/oncall";
import type { Fairness } from "~/api/types";
import { Answer } from "~/components/Answer";
import { type Column, DataTable } from "~/components/DataTable";
import { StateMark } from "~/components/StateMark";
import { formatCount } from "~/format/number";
import { personName } from "./oncall";

type Burden = Fairness["people"][number];

/** How far back turns are counted. */
const days = 90;

const hours = (of: (one: Burden) => number) => (one: Burden) =>
  of(one) > 0 ? `${formatCount(Math.round(of(one)))} h` : "–";

const columns: Column<Burden>[] = [
  { key: "person", head: "Person", cell: (one) => personName(one.person) },
  { key: "turns", head: "Turns", numeric: true, cell: (one) => formatCount(one.turns) },
  { key: "hours", head: "On call", numeric: true, cell: hours((one) => one.hours) },
  {
    key: "share",
    head: "Share",
    numeric: true,
    cell: (one) => `${Math.round(one.share * 100)} %`,
  },
  { key: "nights", head: "Nights", numeric: true, cell: hours((one) => one.night_hours) },
  { key: "weekends", head: "Weekends", numeric: true, cell: hours((one) => one.weekend_hours) },
  { key: "holidays", head: "Holidays", numeric: true, cell: hours((one) => one.holiday_hours) },
  { key: "pages", head: "Pages", numeric: true, cell: ({ pages }) => formatCount(pages.count) },
  { key: "week", head: "A week on call", numeric: true, cell: ({ pages }) => <PerWeek {...pages} /> },
  { key: "worst", head: "Most in a week", numeric: true, cell: ({ pages }) => most(pages.weeks) },
  { key: "atNight", head: "At night", numeric: true, cell: ({ pages }) => formatCount(pages.night) },
];

function PerWeek({ per_week, over_goal }: Burden["pages"]) {
  const text = per_week.toFixed(1);
  return over_goal ? <StateMark tone="caution" word={text} /> : text;
}

const most = (weeks: Burden["pages"]["weeks"]) =>
  formatCount(weeks.reduce((max, { count }) => Math.max(max, count), 0));

/** Who bears how much of the time on call, of nights and weekends, and of pages. */
export function FairnessTable() {
  const query = useQuery(fairnessQuery(days));
  return (
    <section className="panel stack tight">
      <h2>Who bears what</h2>
      <p className="small dim">
        The last {days} days. Nights are from 22:00 to 07:00 by the person's clocks; a night of a weekend is
        in both. The goal is two pages a week on call: more is marked. Only pages of escalation policies have
        a person.
      </p>
      <Answer query={query} what="how turns were shared" height={120}>
        {({ people }) => (
          <DataTable
            label="Who bears what"
            rows={people}
            columns={columns}
            rowKey={(one) => one.person.name}
          />
        )}
      </Answer>
    </section>
  );
}
