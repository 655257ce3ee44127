import type { UseQueryResult } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import type { AmAlert } from "~/api/types";
import { Answer } from "~/components/Answer";
import { type Column, DataTable } from "~/components/DataTable";
import { EmptyNote } from "~/components/EmptyNote";
import { Labels } from "~/components/Labels";
import { StateMark } from "~/components/StateMark";
import { When } from "~/components/When";
import { severityTone, severityWord } from "./severity";

function heard(alert: AmAlert): string {
  if (alert.status.silencedBy.length > 0) return "Silenced: nobody is told";
  if (alert.status.inhibitedBy.length > 0) return "Held back by another alert";
  return alert.receivers.map((receiver) => receiver.name).join(", ") || "No receiver";
}

const columns: Column<AmAlert>[] = [
  {
    key: "name",
    head: "Alert",
    full: true,
    cell: (alert) => (
      <div className="stack tight">
        <Link to="/alerts/$alert" params={{ alert: alert.fingerprint }} data-row>
          {alert.labels.alertname ?? alert.fingerprint}
        </Link>
        {alert.annotations.summary && <span>{alert.annotations.summary}</span>}
        {alert.annotations.signalbox_flapping && (
          <span className="dim">Flapping: {alert.annotations.signalbox_flapping}</span>
        )}
        <Labels labels={alert.labels} hide={["alertname", "severity"]} />
      </div>
    ),
  },
  {
    key: "severity",
    head: "Severity",
    cell: (alert) => {
      const severity = alert.labels.signalbox_severity ?? alert.labels.severity;
      return <StateMark tone={severityTone(severity)} word={severityWord(severity)} />;
    },
  },
  { key: "since", head: "Since", cell: (alert) => <When at={alert.startsAt} ago /> },
  { key: "who", head: "Who is told", cell: heard },
  {
    key: "do",
    head: "Next",
    cell: (alert) => (
      <Link to="/alerts" search={{ tab: "silences", matchers: JSON.stringify(alert.labels) }}>
        Silence
      </Link>
    ),
  },
];

export function ActiveAlerts({ query }: { query: UseQueryResult<AmAlert[]> }) {
  return (
    <Answer query={query} what="the active alerts" height={200}>
      {(alerts) =>
        alerts.length === 0 ? (
          <EmptyNote title="No alert is active.">
            Not even the watchdog, which should always be: look at the rules, or at the evaluation's errors
            there.
          </EmptyNote>
        ) : (
          <section className="panel">
            <DataTable
              label="Active alerts"
              rows={alerts}
              columns={columns}
              rowKey={(alert) => alert.fingerprint}
            />
          </section>
        )
      }
    </Answer>
  );
}
