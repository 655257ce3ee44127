import { Button, Select, TextInput } from "@mantine/core";
import { type FormEvent, useState } from "react";
import { useCorrect } from "~/api/budgets";
import { ErrorNote } from "~/components/ErrorNote";
import { useWho } from "~/components/useWho";
import { WhoField } from "~/components/WhoField";
import { fromInputValue, toInputValue, zoneName } from "~/format/time";
import { useTimeRange } from "~/time/useTimeRange";

/** A span of time, a kind, an author and a reason; the shown range is proposed. */
export function CorrectionForm({ name, onDone }: { name: string; onDone: () => void }) {
  const { zone, resolved } = useTimeRange();
  const who = useWho();
  const [from, setFrom] = useState(() => toInputValue(resolved.from, zone).slice(0, 16));
  const [to, setTo] = useState(() => toInputValue(resolved.to, zone).slice(0, 16));
  const [kind, setKind] = useState<"maintenance" | "exclusion">("maintenance");
  const [reason, setReason] = useState("");
  const correct = useCorrect(name);
  const start = fromInputValue(from, zone);
  const end = fromInputValue(to, zone);
  const backwards = start !== undefined && end !== undefined && end <= start;
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (start === undefined || end === undefined || backwards) return;
    correct.mutate(
      {
        kind,
        author: who.name.trim(),
        reason: reason.trim(),
        start: new Date(start).toISOString(),
        end: new Date(end).toISOString(),
      },
      { onSuccess: onDone },
    );
  };
  const wide = { flex: "1 1 180px" };
  return (
    <form onSubmit={submit} className="stack tight" aria-label="Add a correction">
      <div className="row" style={{ alignItems: "flex-end" }}>
        <TextInput
          type="datetime-local"
          label={`From (${zoneName(zone, resolved.to)})`}
          required
          style={wide}
          value={from}
          onChange={(event) => setFrom(event.currentTarget.value)}
        />
        <TextInput
          type="datetime-local"
          label="To"
          required
          style={wide}
          value={to}
          error={backwards && "The end must be after the start."}
          onChange={(event) => setTo(event.currentTarget.value)}
        />
        <Select
          label="Kind"
          style={wide}
          allowDeselect={false}
          value={kind}
          data={[
            { value: "maintenance", label: "Maintenance" },
            { value: "exclusion", label: "Exclusion" },
          ]}
          onChange={(value) => setKind(value === "exclusion" ? "exclusion" : "maintenance")}
        />
        <WhoField who={who} label="Author" style={wide} />
      </div>
      <div className="row" style={{ alignItems: "flex-end" }}>
        <TextInput
          label="Reason"
          required
          style={{ flex: "4 1 260px" }}
          value={reason}
          onChange={(event) => setReason(event.currentTarget.value)}
        />
        <Button type="submit" loading={correct.isPending}>
          Take it out
        </Button>
      </div>
      {correct.error && <ErrorNote what="the correction" error={correct.error} />}
    </form>
  );
}
