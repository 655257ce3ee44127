import type { Escalation, Rung } from "~/api/types";
import { StateMark } from "~/components/StateMark";
import { When } from "~/components/When";
import { formatWindow } from "~/format/duration";
import { plural } from "~/format/number";
import { AttemptList } from "./AttemptList";
import classes from "./Ladder.module.css";
import { nextStep } from "./standing";

/** The steps, each with whom it told and what came of it, or whom it would tell. A drill's begin all at once. */
export function Steps({ view, drill = false }: { view: Escalation; drill?: boolean }) {
  const next = drill ? undefined : nextStep(view);
  if (view.steps.length === 0) return null;
  return (
    <ol className={classes.steps} aria-label="Steps">
      {view.steps.map((step, at) => (
        <Step
          key={step.number}
          step={step}
          wait={drill ? "" : waitOf(step, at === 0)}
          round={view.round}
          at={step === next ? view.next : undefined}
        />
      ))}
    </ol>
  );
}

/** When a step begins, in words. */
function waitOf(step: Rung, first: boolean): string {
  const after = formatWindow(step.after);
  if (first) return "first";
  return /^0 ?s$/.test(after) ? "at once after the step before" : `${after} after the step before`;
}

interface StepProps {
  step: Rung;
  wait: string;
  round: number;
  /** When it begins, if it is the next. */
  at: string | undefined;
}

function Step({ step, wait, round, at }: StepProps) {
  const now = step.attempts.filter((one) => one.round === round);
  const past = step.attempts.filter((one) => one.round !== round);
  return (
    <li className={classes.step} data-next={at ? true : undefined}>
      <div className="row small">
        <h3>Step {step.number}</h3>
        <span className="dim">{wait}</span>
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
      {passed && <li className="small dim">It had nobody and was passed over.</li>}
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
