import { Button, Select, TextInput } from "@mantine/core";
import { type FormEvent, useState } from "react";
import { useIncidentChange } from "~/api/incidents";
import type { IncidentTask } from "~/api/types";
import { ErrorNote } from "~/components/ErrorNote";
import type { Who } from "~/components/useWho";
import { WhoField } from "~/components/WhoField";
import { dueDay, termWord } from "./incidents";

interface Props {
  incident: string;
  who: Who;
  /** The one that is changed; a new one without. */
  task?: IncidentTask | undefined;
  onDone: () => void;
}

/** An action item: what, who, until when. It is due at the end of a day, UTC, as the document says it. */
export function TaskForm({ incident, who, task, onDone }: Props) {
  const change = useIncidentChange(incident);
  const [text, setText] = useState(task?.text ?? "");
  const [owner, setOwner] = useState(task?.owner ?? "");
  const [due, setDue] = useState(task?.due ? dueDay(task.due) : "");
  const [term, setTerm] = useState<IncidentTask["term"]>(task?.term ?? "short");
  const [link, setLink] = useState(task?.link ?? "");
  const submit = (event: FormEvent) => {
    event.preventDefault();
    const moved = !task?.due || dueDay(task.due) !== due;
    change.mutate(
      {
        part: "/actions",
        body: {
          text: text.trim(),
          term,
          by: who.name.trim(),
          ...(task ? { id: task.id } : {}),
          ...(task?.done ? { done: task.done } : {}),
          ...(owner.trim() ? { owner: owner.trim() } : {}),
          ...(due ? { due: moved ? `${due}T23:59:59Z` : task.due } : {}),
          ...(link.trim() ? { link: link.trim() } : {}),
        },
      },
      {
        onSuccess: () => {
          setText("");
          setLink("");
          onDone();
        },
      },
    );
  };
  const wide = { flex: "1 1 150px" };
  return (
    <form
      className="stack tight"
      onSubmit={submit}
      aria-label={task ? "Change the action item" : "Add an action item"}
    >
      <div className="row" style={{ alignItems: "flex-end" }}>
        <TextInput
          label="What is to be done"
          required
          maxLength={2000}
          style={{ flex: "4 1 280px" }}
          value={text}
          onChange={(event) => setText(event.currentTarget.value)}
        />
        <Select
          label="When"
          style={wide}
          allowDeselect={false}
          value={term}
          data={Object.entries(termWord).map(([value, label]) => ({
            value: value as IncidentTask["term"],
            label,
          }))}
          onChange={(next) => setTerm(next ?? "short")}
        />
      </div>
      <div className="row" style={{ alignItems: "flex-end" }}>
        <TextInput
          label="Owner"
          maxLength={200}
          style={wide}
          value={owner}
          onChange={(event) => setOwner(event.currentTarget.value)}
        />
        <TextInput
          type="date"
          label="Due"
          style={wide}
          value={due}
          onChange={(event) => setDue(event.currentTarget.value)}
        />
        <TextInput
          type="url"
          label="Where it is tracked"
          maxLength={2000}
          style={{ flex: "2 1 200px" }}
          value={link}
          onChange={(event) => setLink(event.currentTarget.value)}
        />
        <WhoField who={who} style={wide} />
        <Button type="submit" size="sm" loading={change.isPending}>
          {task ? "Save" : "Add"}
        </Button>
        {task && (
          <Button variant="default" size="sm" onClick={onDone}>
            Cancel
          </Button>
        )}
      </div>
      {change.error && <ErrorNote what="the action item" error={change.error} />}
    </form>
  );
}
