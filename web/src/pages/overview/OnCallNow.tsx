import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { notServed } from "~/api/escalations";
import { onCallQuery } from "~/api/oncall";
import type { OnCallSchedule } from "~/api/types";
import { StateMark } from "~/components/StateMark";
import { When } from "~/components/When";

/** How many schedules stand on the overview; those with nobody come first. */
const shown = 4;

/** Who is on call now, at one look. */
export function OnCallNow() {
  const query = useQuery(onCallQuery);
  if (query.error && !notServed(query.error) && !query.data)
    return (
      <p className="panel">
        <StateMark tone="unknown" word="Not known" />: who is on call.
      </p>
    );
  const schedules = [...(query.data?.schedules ?? [])].sort((a, b) => Number(!!a.now) - Number(!!b.now));
  if (schedules.length === 0) return null;
  return (
    <section className="panel row between" aria-label="Who is on call">
      <span className="row">
        <strong>On call</strong>
        {schedules.slice(0, shown).map((one) => (
          <Now key={one.name} schedule={one} />
        ))}
        {schedules.length > shown && <span className="dim">and {schedules.length - shown} more</span>}
      </span>
      <Link to="/oncall">All schedules</Link>
    </section>
  );
}

function Now({ schedule: { name, now } }: { schedule: OnCallSchedule }) {
  if (!now)
    return (
      <span>
        <StateMark tone="danger" word="nobody" /> <span className="dim">{name}</span>
      </span>
    );
  return (
    <span>
      {now.person.shown || now.person.name}{" "}
      <span className="dim">
        {name}
        {now.end && (
          <>
            , until <When at={now.end} />
          </>
        )}
      </span>
    </span>
  );
}
