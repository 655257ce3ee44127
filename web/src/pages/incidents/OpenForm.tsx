import { Button, Select, TagsInput, Textarea, TextInput } from "@mantine/core";
import { useNavigate } from "@tanstack/react-router";
import { type FormEvent, useState } from "react";
import { useOpenIncident } from "~/api/incidents";
import { useServiceNames } from "~/api/queries";
import type { Incident } from "~/api/types";
import { ErrorNote } from "~/components/ErrorNote";
import { useWho } from "~/components/useWho";
import { WhoField } from "~/components/WhoField";
import { useTimeRange } from "~/time/useTimeRange";
import { severities } from "./incidents";

/** Opens an incident by hand, and goes to it. */
export function OpenForm({ onClose }: { onClose: () => void }) {
  const navigate = useNavigate();
  const who = useWho();
  const open = useOpenIncident();
  const { resolved } = useTimeRange();
  const known = useServiceNames(resolved);
  const [title, setTitle] = useState("");
  const [severity, setSeverity] = useState<Incident["severity"]>("P2");
  const [services, setServices] = useState<string[]>([]);
  const [summary, setSummary] = useState("");
  const submit = (event: FormEvent) => {
    event.preventDefault();
    open.mutate(
      {
        title: title.trim(),
        severity,
        services,
        by: who.name.trim(),
        ...(summary.trim() ? { summary: summary.trim() } : {}),
      },
      { onSuccess: ({ id }) => void navigate({ to: "/incidents/$id", params: { id } }) },
    );
  };
  return (
    <form className="panel stack tight" onSubmit={submit} aria-label="Open an incident">
      <h2>Open an incident</h2>
      <div className="row" style={{ alignItems: "flex-end" }}>
        <TextInput
          label="What goes wrong"
          required
          maxLength={300}
          style={{ flex: "3 1 260px" }}
          value={title}
          onChange={(event) => setTitle(event.currentTarget.value)}
        />
        <Select
          label="Severity"
          style={{ flex: "1 1 100px" }}
          allowDeselect={false}
          value={severity}
          data={[...severities]}
          onChange={(next) => setSeverity(next ?? "P2")}
        />
      </div>
      <div className="row" style={{ alignItems: "flex-end" }}>
        <TagsInput
          label="Services"
          style={{ flex: "3 1 260px" }}
          data={known}
          value={services}
          onChange={setServices}
        />
        <WhoField who={who} style={{ flex: "1 1 160px" }} />
      </div>
      <Textarea
        label="What is known"
        rows={3}
        maxLength={20000}
        value={summary}
        onChange={(event) => setSummary(event.currentTarget.value)}
      />
      <p className="small dim">It pages nobody, and you close it by hand.</p>
      <div className="row">
        <Button type="submit" size="sm" loading={open.isPending}>
          Open it
        </Button>
        <Button variant="default" size="sm" onClick={onClose}>
          Cancel
        </Button>
      </div>
      {open.error && <ErrorNote what="the new incident" error={open.error} />}
    </form>
  );
}
