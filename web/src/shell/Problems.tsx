import { ApiError } from "~/api/client";
import type { Status } from "~/api/types";
import { StateMark, type Tone } from "~/components/StateMark";
import classes from "./Shell.module.css";

function toneOf(severity: string): Tone {
  return severity === "critical" || severity === "error" ? "danger" : "caution";
}

/** What is wrong with Signalbox itself, with its cure, above everything else. */
export function Problems({ status, unreachable }: { status: Status | undefined; unreachable: Error | null }) {
  const problems = status?.problems ?? [];
  // Who may not see the status is told nothing about it; who is not logged in is sent to the login. Where the tenant is not
  // one of this server's, each part of the page says so.
  const refused = unreachable instanceof ApiError && [401, 403, 404].includes(unreachable.status);
  if (unreachable && !refused) {
    return (
      <div className={classes.problem} data-tone="danger" role="alert">
        <StateMark tone="danger" word="Signalbox does not answer." />
        <span>{unreachable.message} What you see may be old.</span>
      </div>
    );
  }
  return problems.map((problem) => (
    <div key={problem.message} className={classes.problem} data-tone={toneOf(problem.severity)} role="status">
      <StateMark tone={toneOf(problem.severity)} word={problem.message} />
      {problem.cure && <span>{problem.cure}</span>}
    </div>
  ));
}
