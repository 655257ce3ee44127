import type { Escalation } from "~/api/types";
import { StateMark } from "~/components/StateMark";
import { When } from "~/components/When";
import { AttemptList } from "./AttemptList";
import classes from "./Ladder.module.css";
import { Standing } from "./Standing";
import { Steps } from "./Steps";
import { standingOf } from "./standing";

interface Props {
  view: Escalation;
  /** Who has acknowledged it. */
  who?: string | undefined;
}

/** Whom a page went to, step by step, by what, and what came of it. */
export function Ladder({ view, who }: Props) {
  const mark = standingOf(view);
  return (
    <div className={classes.ladder}>
      <p className={classes.standing}>
        {mark && <StateMark {...mark} />}{" "}
        <strong>
          <Standing view={view} who={who} />
        </strong>
      </p>
      <p className="small">
        <Why view={view} />
      </p>
      {view.notices.length > 0 && (
        <div>
          <h3>Notices</h3>
          <AttemptList attempts={view.notices} label="Notices" />
        </div>
      )}
      <Steps view={view} />
      {view.news.length > 0 && (
        <div>
          <h3>Told later</h3>
          <AttemptList attempts={view.news} label="Told later" />
        </div>
      )}
      {view.events.length > 0 && <Decisions events={view.events} />}
    </div>
  );
}

function Why({ view }: { view: Escalation }) {
  return (
    <>
      {view.level} {view.level_text}: {view.level_why}.{" "}
      {view.policy ? (
        <>
          By the policy {view.policy}: {view.policy_why}.
        </>
      ) : (
        <>No policy: {view.policy_why}.</>
      )}
    </>
  );
}

function Decisions({ events }: { events: Escalation["events"] }) {
  return (
    <details className="small">
      <summary>What was decided ({events.length})</summary>
      <ol className={classes.attempts}>
        {events.map((one) => (
          <li key={`${one.time} ${one.text}`}>
            <span className="dim">
              <When at={one.time} />
            </span>{" "}
            {one.text}
          </li>
        ))}
      </ol>
    </details>
  );
}
