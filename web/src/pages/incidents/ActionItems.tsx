import { Button } from "@mantine/core";
import { useState } from "react";
import { useIncidentChange } from "~/api/incidents";
import type { Incident, IncidentTask } from "~/api/types";
import { type Column, DataTable } from "~/components/DataTable";
import { ErrorNote } from "~/components/ErrorNote";
import { Shown } from "~/components/Shown";
import { StateMark } from "~/components/StateMark";
import type { Who } from "~/components/useWho";
import { When } from "~/components/When";
import { dueDay, termWord } from "./incidents";
import { TaskForm } from "./TaskForm";

/** Whether it is done, late or waits. */
function State({ task }: { task: IncidentTask }) {
  if (task.done)
    return (
      <>
        <StateMark tone="ok" word="Done" /> <When at={task.done} />
      </>
    );
  if (task.due && Date.parse(task.due) < Date.now()) return <StateMark tone="caution" word="Overdue" />;
  return <StateMark tone="unknown" word="To do" />;
}

const columns: Column<IncidentTask>[] = [
  {
    key: "text",
    head: "What",
    full: true,
    cell: (one) => (
      <>
        <Shown text={one.text} />
        {one.link && /^https?:\/\//i.test(one.link) && (
          <>
            {" "}
            <a href={one.link} rel="noreferrer" className="small">
              Where it is tracked
            </a>
          </>
        )}
      </>
    ),
  },
  { key: "term", head: "When", cell: (one) => termWord[one.term] },
  { key: "owner", head: "Owner", cell: (one) => one.owner || <span className="dim">nobody</span> },
  {
    key: "due",
    head: "Due",
    cell: (one) => (one.due ? <span className="nowrap">{dueDay(one.due)}</span> : "–"),
  },
  { key: "state", head: "State", cell: (one) => <State task={one} /> },
];

interface Props {
  incident: Incident;
  who: Who;
  /** Whether who reads may change it. */
  able: boolean;
}

/** What is to be done so that it does not happen again. */
export function ActionItems({ incident, who, able }: Props) {
  const { actions, id } = incident;
  const change = useIncidentChange(id);
  const [edited, setEdited] = useState<string>();
  const by = who.name.trim();
  const mark = ({ done, ...task }: IncidentTask) =>
    change.mutate({
      part: "/actions",
      body: { ...task, by, ...(done ? {} : { done: new Date().toISOString() }) },
    });
  const buttons: Column<IncidentTask> = {
    key: "buttons",
    head: "Change",
    full: true,
    cell: (one) => (
      <span className="row">
        <Button
          variant="default"
          disabled={!by || change.isPending}
          title={by ? undefined : "Give your name below first."}
          aria-label={`${one.done ? "Not done" : "Done"}: ${one.text}`}
          onClick={() => mark(one)}
        >
          {one.done ? "Not done" : "Done"}
        </Button>
        <Button variant="default" aria-label={`Edit: ${one.text}`} onClick={() => setEdited(one.id)}>
          Edit
        </Button>
      </span>
    ),
  };
  const task = actions.find((one) => one.id === edited);
  return (
    <section className="panel stack tight">
      <h2>Action items</h2>
      {actions.length > 0 ? (
        <DataTable
          label="Action items"
          rows={actions}
          columns={able ? [...columns, buttons] : columns}
          rowKey={(one) => one.id}
        />
      ) : (
        <p className="dim">None yet: what is to be done so that it does not happen again.</p>
      )}
      {change.error && <ErrorNote what="the action item" error={change.error} />}
      {able && (
        <>
          <h3>{task ? "Change it" : "Add one"}</h3>
          <TaskForm
            key={task?.id ?? "new"}
            incident={id}
            who={who}
            task={task}
            onDone={() => setEdited(undefined)}
          />
        </>
      )}
    </section>
  );
}
