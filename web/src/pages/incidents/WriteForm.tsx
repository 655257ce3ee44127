import { Button, Textarea } from "@mantine/core";
import { type FormEvent, useState } from "react";
import { ApiError } from "~/api/client";
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

/** What somebody else wrote since it was read, where that is why it was not saved. */
function conflictOf(error: unknown): Written | undefined {
  return error instanceof ApiError && error.code === "conflict" ? (error.details as Written) : undefined;
}

/** What somebody else wrote meanwhile, to take over what is to stay. What was typed stays in the fields above. */
function Meanwhile({ theirs, onKeepMine }: { theirs: Written; onKeepMine: () => void }) {
  const parts = [
    ...fields.map(({ key, label }) => ({ label, text: theirs[key] ?? "" })),
    { label: "Five whys", text: (theirs.whys ?? []).join("\n") },
  ].filter(({ text }) => text.trim() !== "");
  return (
    <section className="panel stack tight" role="alert" aria-label="Written meanwhile">
      <h3>{theirs.written_by || "Somebody"} wrote meanwhile; yours is not saved yet</h3>
      <p className="small">
        Nothing is lost: what you typed stands above, and theirs here. Take over what is to stay, then save
        yours.
      </p>
      <dl>
        {parts.map(({ label, text }) => (
          <div key={label}>
            <dt>{label}</dt>
            <dd style={{ whiteSpace: "pre-wrap", overflowWrap: "anywhere", margin: 0 }}>{text}</dd>
          </div>
        ))}
      </dl>
      <div>
        <Button variant="default" onClick={onKeepMine}>
          Save what stands above instead of theirs
        </Button>
      </div>
    </section>
  );
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
  // What is there as far as this writer has seen it: what was read, or what somebody else wrote meanwhile and was shown.
  const [version, setVersion] = useState(written.version ?? 0);
  const theirs = conflictOf(change.error);
  const send = (more: Omit<IncidentPostmortemRequest, "written" | "by" | "version">, from = version) =>
    change.mutate(
      {
        part: "/postmortem",
        body: { written: { ...texts, whys: linesOf(whys) }, by: who.name.trim(), version: from, ...more },
      },
      { onSuccess: (incident) => setVersion(incident.postmortem?.version ?? 0) },
    );
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
      {theirs ? (
        <Meanwhile theirs={theirs} onKeepMine={() => send({}, theirs.version ?? 0)} />
      ) : (
        change.error && <ErrorNote what="the postmortem" error={change.error} />
      )}
    </form>
  );
}
