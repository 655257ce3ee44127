import { Button, Select, TextInput } from "@mantine/core";
import { useNavigate } from "@tanstack/react-router";
import { type FormEvent, useState } from "react";
import type { IncidentFilter } from "~/api/incidents";
import { severities, statusWord } from "./incidents";

/** What the list is narrowed by; all of it stands in the address. */
export function FilterForm({ filter }: { filter: IncidentFilter }) {
  const navigate = useNavigate();
  const [text, setText] = useState({ service: filter.service ?? "", q: filter.q ?? "" });
  const patch = (change: Record<string, string | undefined>) =>
    void navigate({ to: "/incidents", search: (old) => ({ ...old, ...change, before: undefined }) });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    patch({ service: text.service.trim() || undefined, q: text.q.trim() || undefined });
  };
  return (
    <form className="row" style={{ alignItems: "flex-end" }} onSubmit={submit} aria-label="Filter">
      <Select
        label="State"
        style={{ flex: "1 1 140px" }}
        clearable
        placeholder="Every state"
        value={filter.status ?? null}
        data={Object.entries(statusWord).map(([value, label]) => ({ value, label }))}
        onChange={(next) => patch({ status: next ?? undefined })}
      />
      <Select
        label="Severity"
        style={{ flex: "1 1 140px" }}
        clearable
        placeholder="Every severity"
        value={filter.severity ?? null}
        data={[...severities]}
        onChange={(next) => patch({ severity: next ?? undefined })}
      />
      <TextInput
        label="Service"
        style={{ flex: "1 1 140px" }}
        value={text.service}
        maxLength={200}
        onChange={(event) => setText({ ...text, service: event.currentTarget.value })}
      />
      <TextInput
        label="Words in it"
        data-search
        style={{ flex: "2 1 180px" }}
        value={text.q}
        maxLength={500}
        onChange={(event) => setText({ ...text, q: event.currentTarget.value })}
      />
      <Button type="submit" size="sm">
        Search
      </Button>
    </form>
  );
}
