import { Link } from "@tanstack/react-router";
import type { Evidence, GateDecision } from "~/api/types";
import { type Column, DataTable } from "~/components/DataTable";
import { StateMark } from "~/components/StateMark";
import { When } from "~/components/When";
import { formatWindow } from "~/format/duration";
import { formatFigure, type Unit } from "~/format/number";
import { rangeSearch } from "~/time/range";
import classes from "./DecisionView.module.css";
import { shown, verdictTone, verdictWord } from "./verdict";

function unitOf(evidence: Evidence): Unit {
  return evidence.name.startsWith("burn")
    ? "factor"
    : /used|left|ratio|coverage/.test(evidence.name)
      ? "ratio"
      : "none";
}

/** The hour before the decision and five minutes after, so that the chart shows what the gate saw. */
function around(time: string) {
  const at = Date.parse(time);
  return rangeSearch({ kind: "absolute", from: at - 3_600_000, to: at + 300_000 });
}

const columns: Column<Evidence>[] = [
  {
    key: "name",
    head: "Measured",
    full: true,
    cell: (evidence) => (
      <span>
        {evidence.slo && (
          <Link to="/slos/$name" params={{ name: evidence.slo }}>
            {evidence.slo}
          </Link>
        )}{" "}
        {evidence.name.replaceAll("_", " ")}
      </span>
    ),
  },
  {
    key: "value",
    head: "Value",
    numeric: true,
    cell: (evidence) => formatFigure(evidence.value, unitOf(evidence)),
  },
  {
    key: "limit",
    head: "Limit",
    numeric: true,
    cell: (evidence) => formatFigure(evidence.threshold, unitOf(evidence)),
  },
  { key: "window", head: "Window", cell: (evidence) => formatWindow(evidence.window) },
  {
    key: "events",
    head: "Events",
    numeric: true,
    cell: (evidence) => formatFigure(evidence.events, "count"),
  },
  {
    key: "coverage",
    head: "Coverage",
    numeric: true,
    cell: (evidence) => formatFigure(evidence.coverage, "ratio"),
  },
  {
    key: "last",
    head: "Newest data",
    cell: (evidence) =>
      evidence.last_data ? <When at={evidence.last_data} /> : <span className="dim">none</span>,
  },
  {
    key: "query",
    head: "Evidence",
    cell: (evidence) =>
      evidence.query ? (
        <Link to="/query" search={{ expr: [evidence.query], ...around(evidence.time) }}>
          Open in Metrics
        </Link>
      ) : (
        "–"
      ),
  },
];

/** A verdict with everything it rests on. */
export function DecisionView({ decision }: { decision: GateDecision }) {
  const what = shown(decision);
  return (
    <div className={classes.view} data-tone={what.tone}>
      <div className="row">
        <StateMark tone={what.tone} word={what.word} />
        <strong>{what.summary}</strong>
        <Link to="/gate/$id" params={{ id: decision.id }} className="small">
          Link to this decision
        </Link>
      </div>
      {decision.reasons.length > 0 && (
        <ul className={classes.reasons}>
          {decision.reasons.map((reason) => (
            <li key={`${reason.rule}${reason.slo}${reason.message}`}>
              <StateMark tone={verdictTone[reason.verdict]} word={verdictWord[reason.verdict]} />
              <div>
                <p>{reason.message}</p>
                {reason.cure && <p className="dim">{reason.cure}</p>}
              </div>
            </li>
          ))}
        </ul>
      )}
      {decision.evidence.length > 0 ? (
        <DataTable
          label="Evidence"
          rows={decision.evidence}
          columns={columns}
          rowKey={(evidence) => `${evidence.slo}${evidence.name}${evidence.window}`}
        />
      ) : (
        <p className="dim">The verdict rests on no measurement.</p>
      )}
    </div>
  );
}
