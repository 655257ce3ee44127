import { Button } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { incidentPostmortemQuery } from "~/api/incidents";
import type { Incident, IncidentDeadline } from "~/api/types";
import { Answer } from "~/components/Answer";
import { CopyButton } from "~/components/CopyButton";
import { type Column, DataTable } from "~/components/DataTable";
import { StateMark, type Tone } from "~/components/StateMark";
import type { Who } from "~/components/useWho";
import { When } from "~/components/When";
import classes from "./Incidents.module.css";
import { WriteForm } from "./WriteForm";

const steps: Record<IncidentDeadline["step"], string> = {
  summary: "A first summary",
  postmortem: "The postmortem is published",
  review: "The review is held",
};

const states: Record<IncidentDeadline["state"], { tone: Tone; word: string }> = {
  done: { tone: "ok", word: "done" },
  late: { tone: "caution", word: "done late" },
  waiting: { tone: "unknown", word: "waiting" },
  overdue: { tone: "danger", word: "overdue" },
};

const columns: Column<IncidentDeadline>[] = [
  { key: "step", head: "Step", cell: (one) => steps[one.step] },
  { key: "state", head: "State", cell: (one) => <StateMark {...states[one.state]} /> },
  { key: "due", head: "Due", cell: (one) => <When at={one.due} /> },
  { key: "done", head: "Done", cell: (one) => (one.done ? <When at={one.done} /> : "–") },
];

/** What is written of an incident, by when, and what its evidence says already. */
export function Postmortem({ incident, who, able }: { incident: Incident; who: Who; able: boolean }) {
  const query = useQuery(incidentPostmortemQuery(incident.id));
  return (
    <Answer query={query} what="the postmortem" height={320}>
      {({ clock, markdown, written }) => (
        <div className="stack">
          <section className="panel stack tight">
            <h2>By when</h2>
            {clock.length > 0 ? (
              <DataTable label="By when" rows={clock} columns={columns} rowKey={(one) => one.step} />
            ) : (
              <p className="dim">
                The clock begins when the incident is resolved: a summary within 24 hours, the postmortem
                within a week, its review within two.
              </p>
            )}
          </section>
          {able && <WriteForm incident={incident} written={written} who={who} />}
          <section className="panel stack tight">
            <div className="row">
              <h2>The draft</h2>
              <CopyButton text={markdown} label="Copy as Markdown" />
              <Button
                variant="default"
                size="xs"
                component="a"
                href={`data:text/markdown;charset=utf-8,${encodeURIComponent(markdown)}`}
                download={`postmortem-${incident.id}.md`}
              >
                Download
              </Button>
            </div>
            <p className="small dim">
              Made of what was kept, each line with its source, and of what people wrote above.
            </p>
            <pre className={classes.draft} tabIndex={0}>
              {markdown}
            </pre>
          </section>
        </div>
      )}
    </Answer>
  );
}
