import { useQuery } from "@tanstack/react-query";
import { shiftsQuery } from "~/api/oncall";
import { Answer } from "~/components/Answer";
import { formatSpan } from "~/format/time";
import { useTimeRange } from "~/time/useTimeRange";
import classes from "./OnCall.module.css";
import { blocksOf, personName } from "./oncall";

const days = 14;

/** One schedule's shifts of two weeks, side by side. */
export function ShiftStrip({ schedule }: { schedule: string }) {
  const query = useQuery(shiftsQuery(schedule, days));
  const { zone } = useTimeRange();
  return (
    <div className={classes.strip}>
      <h3>{schedule}</h3>
      <Answer query={query} what="the shifts" height={40}>
        {({ shifts, from, to }) => (
          <ol className={classes.blocks} aria-label={`Shifts of ${schedule}`}>
            {blocksOf(shifts, from, to).map(({ shift, from: at, size }) => {
              const span = formatSpan(from + at * (to - from), from + (at + size) * (to - from), zone);
              const who = shift ? personName(shift.person) : "nobody";
              return (
                <li
                  key={at}
                  className={classes.block}
                  data-gap={shift ? undefined : true}
                  data-override={shift?.override ? true : undefined}
                  style={{ flexGrow: size * 1000 }}
                  title={`${who}, ${span}${shift?.override ? ", by an override" : ""}`}
                >
                  <span className={classes.who}>{who}</span>
                  <span className="sr">{span}</span>
                </li>
              );
            })}
          </ol>
        )}
      </Answer>
    </div>
  );
}
