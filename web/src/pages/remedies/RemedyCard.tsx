import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { remedyAuditQuery } from "~/api/reports";
import type { Evidence, Remedy } from "~/api/types";
import { Answer } from "~/components/Answer";
import { type Column, DataTable } from "~/components/DataTable";
import { type Fact, Facts } from "~/components/Facts";
import { StateMark } from "~/components/StateMark";
import { When } from "~/components/When";
import { formatWindow } from "~/format/duration";
import { formatFigure } from "~/format/number";
import { aroundRange } from "~/pages/backtest/span";
import classes from "./Remedies.module.css";
import { stateTone, stateWord, verifiedWords, wasOrdered } from "./remedies";

const evidence: Column<Evidence>[] = [
  { key: "name", head: "Measured", full: true, cell: (one) => one.name.replaceAll("_", " ") },
  {
    key: "value",
    head: "Value",
    numeric: true,
    cell: (one) =>
      formatFigure(one.value, /ratio/.test(one.name) ? "ratio" : /burn/.test(one.name) ? "factor" : "none"),
  },
  { key: "window", head: "Window", cell: (one) => (one.window ? formatWindow(one.window) : "–") },
  { key: "events", head: "Requests", numeric: true, cell: (one) => formatFigure(one.events, "count") },
  {
    key: "query",
    head: "Evidence",
    cell: (one) =>
      one.query ? (
        <Link to="/query" search={{ expr: [one.query], ...aroundRange(one.time) }}>
          Open in Metrics
        </Link>
      ) : (
        "–"
      ),
  },
];

function facts(remedy: Remedy): Fact[] {
  return [
    {
      name: "Breach since",
      value: <When at={remedy.breach} />,
      note: remedy.ended ? (
        <>
          until <When at={remedy.ended} />
        </>
      ) : (
        "it goes on"
      ),
    },
    {
      name: "Likely cause",
      value: remedy.version ?? "–",
      note: remedy.version
        ? remedy.previous_version
          ? `back to ${remedy.previous_version}`
          : "no version before it is known"
        : "no deployment is blamed",
    },
    {
      name: remedy.dry_run ? "Would have been ordered" : "Ordered",
      value: remedy.executed ? <When at={remedy.executed} /> : "–",
      note: remedy.executor
        ? `by ${remedy.executor}${remedy.dry_run ? ", dry run" : ""}`
        : "nothing was ordered",
    },
    {
      name: "Verified",
      value: remedy.state === "recovered" ? "Yes" : remedy.state === "unhelpful" ? "No" : "–",
      note: verifiedWords(remedy),
    },
  ];
}

/** One breach: what was done about it or would have been, why, and whether it helped. */
export function RemedyCard({ remedy, open, onOpen }: { remedy: Remedy; open: boolean; onOpen: () => void }) {
  const name = `${remedy.service}: ${remedy.slo}`;
  return (
    <article className={`panel ${classes.card}`} aria-label={name}>
      <div className={classes.head}>
        <StateMark tone={stateTone[remedy.state]} word={stateWord[remedy.state]} />
        <button type="button" className={classes.title} aria-expanded={open} onClick={onOpen} data-row>
          {name}
        </button>
        {remedy.dry_run && wasOrdered(remedy) && <span className={classes.dry}>dry run</span>}
        <span className="dim small nowrap">
          <When at={remedy.breach} ago />
        </span>
      </div>
      <p>{remedy.reason}</p>
      <div className="row small">
        <Link to="/alerts/$alert" params={{ alert: remedy.alert }}>
          Alert {remedy.alert}
        </Link>
        <Link to="/slos/$name" params={{ name: remedy.slo }} search={aroundRange(remedy.breach)}>
          What spent the budget
        </Link>
        <Link
          to="/services/$name"
          params={{ name: remedy.service }}
          search={aroundRange(remedy.deploy?.time ?? remedy.breach)}
        >
          {remedy.deploy ? `Deployment ${remedy.deploy.version}` : `Service ${remedy.service}`}
        </Link>
      </div>
      {open && <Details remedy={remedy} />}
    </article>
  );
}

function Details({ remedy }: { remedy: Remedy }) {
  const audit = useQuery(remedyAuditQuery(remedy));
  return (
    <div className="stack">
      <Facts facts={facts(remedy)} />
      {remedy.result && (
        <p>
          <strong>{remedy.executor ?? "The executor"} answered: </strong>
          {remedy.result}
        </p>
      )}
      {remedy.evidence.length > 0 && (
        <DataTable
          label="Evidence"
          rows={remedy.evidence}
          columns={evidence}
          rowKey={(one) => `${one.name}${one.window}${one.query}`}
        />
      )}
      <div>
        <h3>What happened</h3>
        <ol className={classes.steps}>
          {remedy.history.map((step) => (
            <li key={`${step.time}${step.state}`}>
              <span className="dim">
                <When at={step.time} />
              </span>{" "}
              {step.reason}
            </li>
          ))}
        </ol>
      </div>
      <div>
        <h3>In the audit trail</h3>
        <Answer query={audit} what="the audit entries" height={32}>
          {(entries) =>
            entries.length > 0 ? (
              <ul className={classes.steps}>
                {entries.map((entry) => (
                  <li key={entry.id}>
                    <span className="dim">
                      <When at={entry.time} />, entry {entry.id}
                    </span>{" "}
                    <code>{entry.action}</code> by {entry.actor}
                  </li>
                ))}
              </ul>
            ) : (
              <p className="dim">Nothing is recorded: the trail may be shorter than this page looks back.</p>
            )
          }
        </Answer>
      </div>
    </div>
  );
}
