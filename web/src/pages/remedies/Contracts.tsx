import { useQuery } from "@tanstack/react-query";
import { Link, useNavigate, useSearch } from "@tanstack/react-router";
import { useState } from "react";
import { remediationQuery, remediationRunsQuery } from "~/api/remediation";
import type { RemediationListing, RemediationRun } from "~/api/types";
import { Answer } from "~/components/Answer";
import { EmptyNote } from "~/components/EmptyNote";
import { StateMark } from "~/components/StateMark";
import { useWho } from "~/components/useWho";
import { When } from "~/components/When";
import { Approval } from "./Approval";
import { runTone, wordOf } from "./contracts";
import classes from "./Remedies.module.css";
import { Switch } from "./Switch";

/** What may be done about alerts: whether it is stopped, what waits for somebody, each remedy, and what was done. */
export function Contracts() {
  const list = useQuery(remediationQuery);
  const runs = useQuery(remediationRunsQuery);
  const who = useWho();
  return (
    <div className="stack">
      <Waiting runs={runs.data?.runs ?? []} />
      <section className="panel stack tight">
        <h2>Remedies in force</h2>
        <Answer query={list} what="the remedies" height={120}>
          {(listing) =>
            listing.remedies.length === 0 && !listing.stopped ? (
              <EmptyNote
                title="No remedy is in force."
                command={
                  "# signalbox.yml\nremedy_files: [remedies/*.yml]\n\n# play the examples, without touching anything\nsignalbox check remedies examples/broker/remedies/*.yml --scenario 'examples/broker/remedies/scenarios/*.yml'"
                }
              >
                A remedy says what may be done about an alert, under which conditions, how far it may reach
                and how one sees that it helped. As long as its file says nothing else, it only suggests.
              </EmptyNote>
            ) : (
              <div className="stack">
                <Switch listing={listing} who={who} />
                <Listed listing={listing} />
              </div>
            )
          }
        </Answer>
      </section>
      <Answer query={runs} what="what remedies did" height={120}>
        {({ runs }) => <Runs runs={runs} />}
      </Answer>
    </div>
  );
}

function Listed({ listing }: { listing: RemediationListing }) {
  const [open, setOpen] = useState("");
  return (
    <ul className={classes.list} aria-label="Remedies in force">
      {listing.remedies.map((one) => (
        <li key={one.name} className={classes.card}>
          <div className={classes.head}>
            <button
              type="button"
              className={classes.title}
              aria-expanded={open === one.name}
              onClick={() => setOpen(open === one.name ? "" : one.name)}
            >
              {one.name}
            </button>
            {(one.stopped || listing.stopped) && <StateMark tone="danger" word="Stopped" />}
            {one.waiting > 0 && <StateMark tone="caution" word={`${one.waiting} waiting`} />}
            <span className={classes.dry}>
              {one.mode}
              {one.dry_run ? ", dry run" : ""}
            </span>
          </div>
          {one.description && <p className="small dim">{one.description}</p>}
          {one.stopped && (
            <p className="small">
              Stopped by {one.stopped.by}, <When at={one.stopped.at} ago />: {one.stopped.reason}
            </p>
          )}
          {open === one.name && (
            <dl className={classes.terms}>
              {one.terms.map((term) => (
                <div key={term.name + term.text}>
                  <dt>{term.name}</dt>
                  <dd>{term.text}</dd>
                </div>
              ))}
              <div>
                <dt>owner</dt>
                <dd>
                  {one.owner},{" "}
                  <Link to="/runbooks/$name" params={{ name: one.runbook }}>
                    runbook {one.runbook}
                  </Link>
                </dd>
              </div>
            </dl>
          )}
        </li>
      ))}
    </ul>
  );
}

const waits = (run: RemediationRun) => run.state === "pending" && !run.approval;

function Waiting({ runs }: { runs: readonly RemediationRun[] }) {
  const who = useWho();
  const waiting = runs.filter(waits);
  if (waiting.length === 0) return null;
  return (
    <section className="panel stack tight">
      <h2>Waiting for somebody</h2>
      <ul className={classes.list} aria-label="Waiting for somebody">
        {waiting.map((run) => (
          <li key={run.id} className={classes.card}>
            <Run run={run} open />
            {/* Another plan is another question: what was being confirmed begins anew. */}
            <Approval key={run.plan?.calls.join("\n") ?? ""} run={run} who={who} />
          </li>
        ))}
      </ul>
    </section>
  );
}

function Runs({ runs }: { runs: readonly RemediationRun[] }) {
  const others = runs.filter((run) => !waits(run));
  if (others.length === 0) return null;
  return (
    <section className="panel stack tight">
      <h2>What was done, and what was not</h2>
      <ul className={classes.list} aria-label="Runs">
        {others.map((run) => (
          <li key={run.id} className={classes.card}>
            <Run run={run} />
          </li>
        ))}
      </ul>
    </section>
  );
}

function Run({ run, open }: { run: RemediationRun; open?: boolean }) {
  const search = useSearch({ strict: false });
  const navigate = useNavigate();
  const shown = open || search.run === run.id;
  return (
    <>
      <div className={classes.head}>
        <StateMark tone={runTone[run.state]} word={wordOf(run)} />
        {open ? (
          <strong>
            {run.remedy} on {run.subject.target}
          </strong>
        ) : (
          <button
            type="button"
            className={classes.title}
            aria-expanded={shown}
            onClick={() =>
              void navigate({
                to: ".",
                search: (old) => ({ ...old, run: search.run === run.id ? undefined : run.id }),
              })
            }
          >
            {run.remedy} on {run.subject.target}
          </button>
        )}
        {run.dry_run && <span className={classes.dry}>dry run</span>}
        <span className="dim small nowrap">
          <When at={run.times.updated} ago />
        </span>
      </div>
      <p className={classes.text}>{run.reason}</p>
      {shown && <Details run={run} />}
    </>
  );
}

function Details({ run }: { run: RemediationRun }) {
  return (
    <div className="stack tight">
      {run.plan && (
        <div>
          <h3>
            {run.times.decided && !run.dry_run && run.mode !== "suggest"
              ? "What was done"
              : "What would be done"}
          </h3>
          <p className={classes.text}>{run.plan.text}</p>
          {run.plan.calls.map((one) => (
            <pre key={one} tabIndex={0} className={classes.call}>
              {one}
            </pre>
          ))}
          <p className="small dim">
            {run.plan.undo ? `To take it back: ${run.plan.undo}.` : "It is not taken back by itself."}
          </p>
        </div>
      )}
      {run.evidence.length > 0 && (
        <div>
          <h3>Evidence</h3>
          <ul className={classes.steps}>
            {run.evidence.map((one) => (
              <li key={one.query + one.time}>
                <Link to="/query" search={{ expr: [one.query] }}>
                  <code className={classes.text}>{one.query}</code>
                </Link>{" "}
                {one.no_data ? "no data" : one.holds ? "holds" : "does not hold"}
                {one.value !== undefined && ` (${one.value})`}
              </li>
            ))}
          </ul>
        </div>
      )}
      {run.result && <p className={classes.text}>{run.result}</p>}
      <div>
        <h3>What happened</h3>
        <ol className={classes.steps}>
          {run.history.map((step) => (
            <li key={step.time + step.state} className={classes.text}>
              <span className="dim">
                <When at={step.time} />
              </span>{" "}
              {step.reason}
            </li>
          ))}
        </ol>
      </div>
    </div>
  );
}
