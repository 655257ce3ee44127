import type { Escalation, Rung } from "~/api/types";
import { StateMark } from "~/components/StateMark";
import { When } from "~/components/When";
import { formatWindow } from "~/format/duration";
import { plural } from "~/format/number";
import { AttemptList } from "./AttemptList";
import classes from "./Ladder.module.css";
import { Standing } from "./Standing";
import { nextStep, roundOf, standingOf } from "./standing";

interface Props {
  view: Escalation;
  /** Who has acknowledged it. */
  who?: string | undefined;
}

/** Whom a page went to, step by step, by what, and what came of it. */
export function Ladder({ view, who }: Props) {
  const mark = standingOf(view);
  const round = roundOf(view);
  const next = nextStep(view);
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
      {view.steps.length > 0 && (
        <ol className={classes.steps} aria-label="Steps">
          {view.steps.map((step, at) => (
            <Step
              key={step.number}
              step={step}
              first={at === 0}
              round={round}
              at={step === next ? view.next : undefined}
            />
          ))}
        </ol>
      )}
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

/** When a step begins, in words. */
function wait(step: Rung, first: boolean): string {
  const after = formatWindow(step.after);
  if (first) return "first";
  return /^0 ?s$/.test(after) ? "at once after the step before" : `${after} after the step before`;
}

interface StepProps {
  step: Rung;
  first: boolean;
  round: number;
  /** When it begins, if it is the next. */
  at: string | undefined;
}

function Step({ step, first, round, at }: StepProps) {
  const now = step.attempts.filter((one) => one.round === round);
  const past = step.attempts.filter((one) => one.round !== round);
  return (
    <li className={classes.step} data-next={at ? true : undefined}>
      <div className="row small">
        <h3>Step {step.number}</h3>
        <span className="dim">{wait(step, first)}</span>
        {at && (
          <span>
            begins at <When at={at} />
          </span>
        )}
      </div>
      {now.length > 0 ? (
        <AttemptList attempts={now} label={`Messages of step ${step.number}`} />
      ) : (
        <Whom step={step} passed={step.state === "begun" && past.length === 0} />
      )}
      {past.length > 0 && (
        <details className="small">
          <summary>{plural(past.length, "message")} of earlier rounds</summary>
          <AttemptList attempts={past} label={`Earlier messages of step ${step.number}`} />
        </details>
      )}
    </li>
  );
}

/** Whom a step would tell now. */
function Whom({ step, passed }: { step: Rung; passed: boolean }) {
  return (
    <ul className={classes.attempts}>
      {passed && <li className="small dim">It had nobody and was passed over. Now it would tell:</li>}
      {step.who.map((one) => (
        <li key={`${one.target} ${one.person}`} className="small">
          {one.nobody ? (
            <StateMark tone="caution" word={one.nobody} />
          ) : (
            <>
              {one.person || one.target}
              {one.person && one.person !== one.target && <span className="dim">, {one.target}</span>}
              {one.by.length > 0 && <span className="dim">: {one.by.join(", ")}</span>}
            </>
          )}
        </li>
      ))}
    </ul>
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
