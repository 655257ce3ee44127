import { Button, Textarea } from "@mantine/core";
import { type FormEvent, useState } from "react";
import { useIncidentChange } from "~/api/incidents";
import type { Incident, IncidentPostmortem, IncidentPostmortemRequest } from "~/api/types";
import { ErrorNote } from "~/components/ErrorNote";
import type { Who } from "~/components/useWho";
import { WhoField } from "~/components/WhoField";

type Written = IncidentPostmortem["written"];

const fields = [
  { key: "summary", label: "Summary", hint: "What happened, in two sentences." },
  { key: "impact", label: "Impact", hint: "Who felt it, how, and how long." },
  { key: "root_cause", label: "Root cause", hint: "What made it possible, not who." },
  { key: "resolution", label: "Resolution", hint: "What ended it, and what keeps it from coming back." },
  { key: "lessons", label: "Lessons", hint: "What went well, what did not, where we were lucky." },
] as const;

/** Most whys that are asked. */
const maxWhys = 5;

function linesOf(text: string): string[] {
  return text
    .split("\n")
    .map((one) => one.trim())
    .filter(Boolean)
    .slice(0, maxWhys);
}

interface Props {
  incident: Incident;
  written: Written;
  who: Who;
}

/** What only people can say. */
export function WriteForm({ incident, written, who }: Props) {
  const change = useIncidentChange(incident.id);
  const [texts, setTexts] = useState(() =>
    Object.fromEntries(fields.map(({ key }) => [key, written[key] ?? ""])),
  );
  const [whys, setWhys] = useState((written.whys ?? []).join("\n"));
  const send = (more: Omit<IncidentPostmortemRequest, "written" | "by">) =>
    change.mutate({
      part: "/postmortem",
      body: { written: { ...texts, whys: linesOf(whys) }, by: who.name.trim(), ...more },
    });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    send({});
  };
  const whole = Boolean(texts.summary?.trim() && texts.root_cause?.trim() && incident.status === "resolved");
  const named = who.name.trim() !== "";
  return (
    <form className="panel stack tight" aria-label="Write the postmortem" onSubmit={submit}>
      <h2>What people write</h2>
      {fields.map(({ key, label, hint }) => (
        <Textarea
          key={key}
          label={label}
          description={hint}
          rows={3}
          maxLength={20000}
          value={texts[key] ?? ""}
          onChange={(event) => {
            const { value } = event.currentTarget;
            setTexts((old) => ({ ...old, [key]: value }));
          }}
        />
      ))}
      <Textarea
        label="Five whys"
        description="A line each: every one is the reason of the one before."
        rows={maxWhys}
        value={whys}
        onChange={(event) => setWhys(event.currentTarget.value)}
      />
      {!who.proved && <WhoField who={who} />}
      <div className="row">
        <Button type="submit" loading={change.isPending}>
          Save
        </Button>
        {!written.published_at && (
          <Button
            variant="default"
            disabled={!whole || !named || change.isPending}
            onClick={() => send({ publish: true })}
          >
            Publish
          </Button>
        )}
        {written.published_at && !written.reviewed_at && (
          <Button
            variant="default"
            disabled={!named || change.isPending}
            onClick={() => send({ reviewed: true })}
          >
            The review was held
          </Button>
        )}
      </div>
      {!written.published_at && !whole && (
        <p className="small dim">
          It can be published once it has a summary and a root cause, and the incident is resolved.
        </p>
      )}
      {change.error && <ErrorNote what="the postmortem" error={change.error} />}
    </form>
  );
}
