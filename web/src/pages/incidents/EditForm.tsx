import { Button, Select, TagsInput, Textarea, TextInput } from "@mantine/core";
import { type FormEvent, useState } from "react";
import { useIncidentChange } from "~/api/incidents";
import { useServiceNames } from "~/api/queries";
import type { Incident, IncidentEdit } from "~/api/types";
import { ErrorNote } from "~/components/ErrorNote";
import type { Who } from "~/components/useWho";
import { WhoField } from "~/components/WhoField";
import { fromInputValue, toInputValue, zoneName } from "~/format/time";
import { useTimeRange } from "~/time/useTimeRange";
import { roles, severities } from "./incidents";

type Draft = Pick<IncidentEdit, "title" | "summary" | "severity" | "services" | "started"> & {
  roles: Incident["roles"];
};

interface Props {
  incident: Incident;
  who: Who;
  onClose: () => void;
}

/** What an incident says of itself. Only what was touched is sent: what others changed meanwhile stays. */
export function EditForm({ incident, who, onClose }: Props) {
  const { zone, resolved } = useTimeRange();
  const known = useServiceNames(resolved);
  const change = useIncidentChange(incident.id);
  const [draft, setDraft] = useState<Draft>({ roles: {} });
  const set = (next: Partial<Draft>) => setDraft({ ...draft, ...next });
  const started = draft.started ?? incident.times.started;
  const submit = (event: FormEvent) => {
    event.preventDefault();
    const { roles: touched, ...rest } = draft;
    const named = Object.keys(touched).length > 0 ? { roles: { ...incident.roles, ...touched } } : {};
    change.mutate({ part: "", body: { ...rest, ...named, by: who.name.trim() } }, { onSuccess: onClose });
  };
  const wide = { flex: "1 1 160px" };
  return (
    <form className="panel stack tight" onSubmit={submit} aria-label="Change the incident">
      <h2>Change it</h2>
      <div className="row" style={{ alignItems: "flex-end" }}>
        <TextInput
          label="Title"
          required
          maxLength={300}
          style={{ flex: "3 1 260px" }}
          value={draft.title ?? incident.title}
          onChange={(event) => set({ title: event.currentTarget.value })}
        />
        <Select
          label="Severity"
          style={{ flex: "1 1 100px" }}
          allowDeselect={false}
          value={draft.severity ?? incident.severity}
          data={[...severities]}
          onChange={(next) => next && set({ severity: next })}
        />
      </div>
      <div className="row" style={{ alignItems: "flex-end" }}>
        {roles.map(({ key, word }) => (
          <TextInput
            key={key}
            label={word}
            maxLength={200}
            style={wide}
            value={draft.roles[key] ?? incident.roles[key] ?? ""}
            onChange={(event) => set({ roles: { ...draft.roles, [key]: event.currentTarget.value } })}
          />
        ))}
      </div>
      <div className="row" style={{ alignItems: "flex-end" }}>
        <TagsInput
          label="Services"
          style={{ flex: "3 1 260px" }}
          data={known}
          value={draft.services ?? incident.services}
          onChange={(services) => set({ services })}
        />
        <TextInput
          type="datetime-local"
          step={1}
          label={`Started (${zoneName(zone, resolved.to)})`}
          required
          style={wide}
          value={toInputValue(Date.parse(started), zone)}
          onChange={(event) => {
            const ms = fromInputValue(event.currentTarget.value, zone);
            if (ms !== undefined) set({ started: new Date(ms).toISOString() });
          }}
        />
      </div>
      <Textarea
        label="What is known"
        rows={3}
        maxLength={20000}
        value={draft.summary ?? incident.summary ?? ""}
        onChange={(event) => set({ summary: event.currentTarget.value })}
      />
      <p className="small dim">Pages do not change a severity or a start any more that somebody set.</p>
      <div className="row" style={{ alignItems: "flex-end" }}>
        <WhoField who={who} />
        <Button type="submit" size="sm" loading={change.isPending}>
          Save
        </Button>
        <Button variant="default" size="sm" onClick={onClose}>
          Cancel
        </Button>
      </div>
      {change.error && <ErrorNote what="the change" error={change.error} />}
    </form>
  );
}
