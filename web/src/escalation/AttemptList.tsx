import type { Attempt } from "~/api/types";
import { StateMark } from "~/components/StateMark";
import { When } from "~/components/When";
import classes from "./Ladder.module.css";
import { outcomeOf } from "./standing";

/** What a message told where it was not the page itself. */
const news: Record<string, string> = { acknowledged: "that somebody has it", resolved: "that it is over" };

/** Messages, each with whom it was for, by what, when, and what became of it. */
export function AttemptList({ attempts, label }: { attempts: readonly Attempt[]; label: string }) {
  return (
    <ul className={classes.attempts} aria-label={label}>
      {attempts.map((one) => (
        <li key={`${one.kind} ${one.round} ${one.to} ${one.channel} ${one.due}`} className={classes.attempt}>
          <StateMark {...outcomeOf(one)} />
          <span className={classes.what}>
            <span title={one.why}>
              {one.to.startsWith(one.channel) ? one.to : `${one.to} by ${one.channel}`}
            </span>
            , <When at={one.state === "planned" ? one.due : (one.at ?? one.due)} />
            {news[one.kind] && `, ${news[one.kind]}`}
            {one.tries > 1 && `, ${one.tries} tries`}
            {one.note && `: ${one.note}`}
            {one.receipt && (
              <>
                {" "}
                <span className="dim">receipt</span> <code className={classes.receipt}>{one.receipt}</code>
              </>
            )}
          </span>
        </li>
      ))}
    </ul>
  );
}
