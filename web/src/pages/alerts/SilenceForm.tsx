import { Button, Select, TextInput } from "@mantine/core";
import { type FormEvent, useState } from "react";
import { useCreateSilence } from "~/api/mutations";
import { ErrorNote } from "~/components/ErrorNote";
import { useWho } from "~/components/useWho";
import { WhoField } from "~/components/WhoField";
import { formatWindow } from "~/format/duration";
import { parseSpan } from "~/time/range";
import { matchersOfLabels, parseMatchers } from "./matchers";

const lengths = ["30m", "1h", "2h", "4h", "12h", "1d", "3d", "7d"];

/** Keeps matching alerts quiet for a while. A reason is asked for: the next reader needs it. */
export function SilenceForm({ prefill }: { prefill: string | undefined }) {
  const who = useWho();
  const [matchers, setMatchers] = useState(() => matchersOfLabels(prefill));
  const [comment, setComment] = useState("");
  const [length, setLength] = useState("2h");
  const [problem, setProblem] = useState("");
  const create = useCreateSilence();

  const submit = (event: FormEvent) => {
    event.preventDefault();
    try {
      const parsed = parseMatchers(matchers);
      const now = Date.now();
      setProblem("");
      create.mutate({
        matchers: parsed,
        startsAt: new Date(now).toISOString(),
        endsAt: new Date(now + (parseSpan(length) ?? 7200) * 1000).toISOString(),
        createdBy: who.name.trim(),
        comment: comment.trim(),
      });
    } catch (cause) {
      setProblem(cause instanceof Error ? cause.message : String(cause));
    }
  };

  return (
    <form onSubmit={submit} className="stack tight">
      <h2>Silence alerts</h2>
      <TextInput
        label="Matching"
        placeholder='service="edge", alertname=~"SLOBurnRate.*"'
        value={matchers}
        error={problem || undefined}
        required
        styles={{ input: { fontFamily: "var(--sb-mono)" } }}
        onChange={(event) => setMatchers(event.currentTarget.value)}
      />
      <div className="row" style={{ alignItems: "flex-end" }}>
        <Select
          label="For"
          data={lengths.map((value) => ({ value, label: formatWindow(value) }))}
          value={length}
          allowDeselect={false}
          w={110}
          onChange={(value) => setLength(value ?? "2h")}
        />
        <WhoField who={who} />
        <TextInput
          label="Why"
          value={comment}
          required
          style={{ flex: "1 1 220px" }}
          onChange={(event) => setComment(event.currentTarget.value)}
        />
        <Button type="submit" size="sm" loading={create.isPending}>
          Silence
        </Button>
      </div>
      {create.error && <ErrorNote what="the silence" error={create.error} />}
      {create.isSuccess && <p role="status">Silenced for {formatWindow(length)}.</p>}
    </form>
  );
}
