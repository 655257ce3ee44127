import { Button, Select } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { contactsQuery, escalationPoliciesQuery, useSendDrill } from "~/api/escalations";
import { may, useMe } from "~/auth/me";
import { ErrorNote } from "~/components/ErrorNote";
import { useWho } from "~/components/useWho";
import { WhoField } from "~/components/WhoField";
import { DrillResult } from "./DrillResult";

/** Sends a drill through a policy or to a person, and shows whom it reached. */
export function Drill() {
  const me = useMe();
  const who = useWho();
  const policies = useQuery(escalationPoliciesQuery).data?.policies ?? [];
  const contacts = useQuery(contactsQuery).data?.contacts ?? [];
  const [what, setWhat] = useState<string | null>(null);
  const send = useSendDrill();
  const people = [...new Set(contacts.map((one) => one.person))];
  if (!may(me, "oncall.swap") || policies.length + people.length === 0) return null;
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (!what) return;
    const [kind = "", ...name] = what.split("=");
    send.mutate({ [kind]: name.join("="), by: who.name.trim() });
  };
  return (
    <section className="panel stack tight">
      <h2>Do pages arrive?</h2>
      <p className="small dim">
        A drill tells all steps of a policy at once, or one person, that this is one. It stands in no inbox
        and no report.
      </p>
      <form className="row" style={{ alignItems: "flex-end" }} onSubmit={submit} aria-label="Send a drill">
        <Select
          label="Drill"
          placeholder="a policy or a person"
          data={[
            {
              group: "Policies",
              items: policies.map(({ name }) => ({ value: `policy=${name}`, label: name })),
            },
            { group: "People", items: people.map((name) => ({ value: `person=${name}`, label: name })) },
          ]}
          value={what}
          searchable
          style={{ flex: "0 1 320px" }}
          onChange={setWhat}
        />
        {!who.proved && <WhoField who={who} />}
        <Button type="submit" size="sm" loading={send.isPending} disabled={!what}>
          Send a drill
        </Button>
      </form>
      {send.error && <ErrorNote what="the drill" error={send.error} />}
      {send.data && <DrillResult key={send.data.id} id={send.data.id} />}
    </section>
  );
}
