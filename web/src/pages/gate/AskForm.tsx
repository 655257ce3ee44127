import { Autocomplete, Button, Switch } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { type FormEvent, useMemo, useState } from "react";
import { useAskGate } from "~/api/mutations";
import { deploysQuery, useServiceNames } from "~/api/queries";
import { CopyButton } from "~/components/CopyButton";
import { ErrorNote } from "~/components/ErrorNote";
import { useWho } from "~/components/useWho";
import { useTimeRange } from "~/time/useTimeRange";
import { DecisionView } from "./DecisionView";

const distinct = (list: readonly (string | undefined)[]) =>
  [...new Set(list)].filter((one) => one !== undefined && one !== "") as string[];

interface Props {
  initial: { service: string; environment: string; version: string };
}

/** Asks the gate, exactly as a pipeline does; the question is recorded like any other. */
export function AskForm({ initial }: Props) {
  const { resolved } = useTimeRange();
  const names = useServiceNames(resolved);
  const minute = Math.ceil(resolved.to / 60_000) * 60_000;
  const recent = useMemo(() => ({ from: minute - 30 * 86_400_000, to: minute }), [minute]);
  const { name: who } = useWho();
  const [service, setService] = useState(initial.service);
  const [environment, setEnvironment] = useState(initial.environment);
  const [version, setVersion] = useState(initial.version);
  const [critical, setCritical] = useState(false);
  const ask = useAskGate();
  const deploys = useQuery(deploysQuery(recent, service.trim() || undefined, 100)).data?.deploys ?? [];
  const environments = distinct(deploys.map((one) => one.environment));
  const versions = distinct(deploys.map((one) => one.version));
  const stranger = names.length > 0 && service.trim() !== "" && !names.includes(service.trim());
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
          <Autocomplete
            label="Environment"
            data={environments}
            value={environment}
            style={{ flex: "1 1 120px" }}
            onChange={setEnvironment}
          />
          <Autocomplete
            label="Version"
            data={versions}
            value={version}
            style={{ flex: "1 1 120px" }}
            onChange={setVersion}
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
        {stranger && (
          <p className="small">
            No service {service.trim()} was seen in this time range. The question is recorded all the same.
          </p>
        )}
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
