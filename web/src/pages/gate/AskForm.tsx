import { Autocomplete, Button, Switch, TextInput } from "@mantine/core";
import { type FormEvent, useState } from "react";
import { useAskGate } from "~/api/mutations";
import { useServiceNames } from "~/api/queries";
import { CopyButton } from "~/components/CopyButton";
import { ErrorNote } from "~/components/ErrorNote";
import { useWho } from "~/components/useWho";
import { useTimeRange } from "~/time/useTimeRange";
import { DecisionView } from "./DecisionView";

interface Props {
  initial: { service: string; environment: string; version: string };
}

/** Asks the gate, exactly as a pipeline does; the question is recorded like any other. */
export function AskForm({ initial }: Props) {
  const { resolved } = useTimeRange();
  const names = useServiceNames(resolved);
  const [who] = useWho();
  const [service, setService] = useState(initial.service);
  const [environment, setEnvironment] = useState(initial.environment);
  const [version, setVersion] = useState(initial.version);
  const [critical, setCritical] = useState(false);
  const ask = useAskGate();
  const request = {
    service: service.trim(),
    ...(environment.trim() ? { environment: environment.trim() } : {}),
    ...(version.trim() ? { version: version.trim() } : {}),
    ...(critical ? { critical } : {}),
    ...(who ? { actor: who } : {}),
  };
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (request.service) ask.mutate(request);
  };
  const curl = `curl -s -X POST ${window.location.origin}/sb/v1/gate -H 'Content-Type: application/json' -d '${JSON.stringify(request)}'`;
  return (
    <div className="stack">
      <form onSubmit={submit} className="stack tight">
        <h2>May I deploy?</h2>
        <div className="row" style={{ alignItems: "flex-end" }}>
          <Autocomplete
            label="Service"
            data={names}
            value={service}
            required
            style={{ flex: "1 1 160px" }}
            onChange={setService}
          />
          <TextInput
            label="Environment"
            value={environment}
            style={{ flex: "1 1 120px" }}
            onChange={(event) => setEnvironment(event.currentTarget.value)}
          />
          <TextInput
            label="Version"
            value={version}
            style={{ flex: "1 1 120px" }}
            onChange={(event) => setVersion(event.currentTarget.value)}
          />
          <Switch
            label="Critical fix"
            description="passes the hold at 75 %, never the block"
            checked={critical}
            onChange={(event) => setCritical(event.currentTarget.checked)}
          />
          <Button type="submit" size="sm" loading={ask.isPending}>
            Ask the gate
          </Button>
          <CopyButton text={curl} label="Copy as curl" />
        </div>
      </form>
      {ask.error && <ErrorNote what="the verdict" error={ask.error} />}
      {ask.data && (
        <div role="status">
          <DecisionView decision={ask.data} />
        </div>
      )}
    </div>
  );
}
