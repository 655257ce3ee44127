import type { Incident, IncidentTask } from "~/api/types";
import { type Column, DataTable } from "~/components/DataTable";
import { Shown } from "~/components/Shown";
import { StateMark } from "~/components/StateMark";
import { When } from "~/components/When";

export const termWord: Record<IncidentTask["term"], string> = {
  immediate: "At once",
  short: "Soon",
  long: "Later",
};

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
  { key: "due", head: "Due", cell: (one) => (one.due ? <When at={one.due} /> : "–") },
  { key: "state", head: "State", cell: (one) => <State task={one} /> },
];

/** What is to be done so that it does not happen again. */
export function ActionItems({ incident }: { incident: Incident }) {
  const { actions } = incident;
  return (
    <section className="panel stack tight">
      <h2>Action items</h2>
      {actions.length > 0 ? (
        <DataTable label="Action items" rows={actions} columns={columns} rowKey={(one) => one.id} />
      ) : (
        <p className="dim">None yet: what is to be done so that it does not happen again.</p>
      )}
    </section>
  );
}
