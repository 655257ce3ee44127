import { Button, Textarea } from "@mantine/core";
import { useRef, useState } from "react";
import { type IncidentChange, useIncidentChange } from "~/api/incidents";
import type { Incident, IncidentStatusRequest } from "~/api/types";
import { ErrorNote } from "~/components/ErrorNote";
import { StateMark } from "~/components/StateMark";
import type { Who } from "~/components/useWho";
import { WhoField } from "~/components/WhoField";
import { plural } from "~/format/number";

type Step = IncidentStatusRequest["status"];

/** What an incident may become, by what it is. */
const steps: Record<Incident["status"], readonly { to: Step; word: string }[]> = {
  open: [
    { to: "mitigated", word: "It is mitigated" },
    { to: "resolved", word: "It is resolved" },
  ],
  mitigated: [
    { to: "resolved", word: "It is resolved" },
    { to: "open", word: "Open it again" },
  ],
  resolved: [{ to: "open", word: "Open it again" }],
  merged: [],
};

/** To say something, to take an incident, and to say how far it is. */
export function Act({ incident, who }: { incident: Incident; who: Who }) {
  const form = useRef<HTMLFormElement>(null);
  const [text, setText] = useState("");
  const change = useIncidentChange(incident.id);
  const by = who.name.trim();
  const said = text.trim();
  const send = (what: IncidentChange) => {
    if (form.current?.reportValidity()) change.mutate(what, { onSuccess: () => setText("") });
  };
  const note = (kind: "note" | "update") => send({ part: "/notes", body: { text: said, kind, by } });
  const firing = incident.pages.firing;
  return (
    <form
      ref={form}
      className="panel stack tight"
      aria-label="Say and do"
      onSubmit={(event) => event.preventDefault()}
    >
      <div className="row" style={{ alignItems: "flex-end" }}>
        <Textarea
          label="What is to be said"
          rows={2}
          maxLength={10000}
          style={{ flex: "4 1 280px" }}
          value={text}
          onChange={(event) => setText(event.currentTarget.value)}
        />
        <WhoField who={who} style={{ flex: "1 1 160px" }} />
      </div>
      <div className="row">
        <Button disabled={!said || change.isPending} onClick={() => note("note")}>
          Add a note
        </Button>
        <Button variant="default" disabled={!said || change.isPending} onClick={() => note("update")}>
          Add a status update
        </Button>
        {incident.roles.commander !== by && (
          <Button
            variant="default"
            disabled={change.isPending}
            onClick={() => send({ part: "", body: { roles: { ...incident.roles, commander: by }, by } })}
          >
            I lead it
          </Button>
        )}
        {steps[incident.status].map(({ to, word }) => (
          <Button
            key={to}
            variant="default"
            disabled={change.isPending}
            onClick={() =>
              send({ part: "/status", body: { status: to, by, ...(said ? { text: said } : {}) } })
            }
          >
            {word}
          </Button>
        ))}
      </div>
      <p className="small dim">
        A note is for those who work on it, a status update for others. What stands above goes along as an
        update when the state changes.
      </p>
      {incident.status !== "resolved" && firing > 0 && (
        <p className="small">
          <StateMark
            tone="caution"
            word={`${plural(firing, "page")} of it still ${firing === 1 ? "fires" : "fire"}.`}
          />
        </p>
      )}
      {change.error && <ErrorNote what="the change" error={change.error} />}
    </form>
  );
}
