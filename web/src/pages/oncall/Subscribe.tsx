import { Button, Select } from "@mantine/core";
import { type FormEvent, useState } from "react";
import { useIdentityChange } from "~/api/identity";
import type { NewToken, OnCallSchedule } from "~/api/types";
import { may, useMe } from "~/auth/me";
import { Once } from "~/auth/Once";
import { ErrorNote } from "~/components/ErrorNote";

/** How long an address is good: calendars are set up once. */
const lifetime = "365d";

/** What a calendar can show, as the feed's parameters. */
function choices(schedules: readonly OnCallSchedule[]) {
  const people = new Map(
    schedules.flatMap((one) => one.people ?? []).map((one) => [one.name, one.shown || one.name]),
  );
  return [
    { group: "Schedules", items: schedules.map(({ name }) => ({ value: `schedule=${name}`, label: name })) },
    { group: "People", items: [...people].map(([name, label]) => ({ value: `person=${name}`, label })) },
  ];
}

/** The address of a feed; names hold nothing that would have to be escaped but "@". */
function addressOf(what: string, token = "") {
  const params = new URLSearchParams(what);
  if (token) params.set("token", token);
  return `${window.location.origin}/sb/v1/oncall/calendar.ics?${params}`;
}

/** An address that calendar programs read again and again. */
export function Subscribe({ schedules }: { schedules: readonly OnCallSchedule[] }) {
  const me = useMe();
  const make = useIdentityChange<NewToken>();
  const [what, setWhat] = useState<string | null>(null);
  const [address, setAddress] = useState("");
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (!what) return;
    if (!me) return setAddress(addressOf(what));
    const grant = { role: "calendar", tenants: [me.tenant] };
    const body = { name: `calendar of ${what.slice(what.indexOf("=") + 1)}`, grants: [grant], lifetime };
    make.mutate(
      { method: "POST", path: "/tokens", body },
      { onSuccess: ({ text }) => setAddress(addressOf(what, text)) },
    );
  };
  if (!may(me, "tokens.own")) return null;
  return (
    <section className="panel stack tight">
      <h2>In your calendar</h2>
      <form className="row" style={{ alignItems: "flex-end" }} onSubmit={submit} aria-label="Subscribe">
        <Select
          label="Turns of"
          placeholder="a schedule or a person"
          data={choices(schedules)}
          value={what}
          searchable
          style={{ flex: "0 1 320px" }}
          onChange={(value) => {
            setWhat(value);
            setAddress("");
          }}
        />
        <Button type="submit" size="sm" loading={make.isPending} disabled={!what}>
          Make an address
        </Button>
      </form>
      {make.error && <ErrorNote what="the address" error={make.error} />}
      {address &&
        (me ? (
          <Once
            says="Give this address to your calendar program now: it is not shown again, and whoever has it can read who is on call. You end it under Tokens."
            text={address}
          />
        ) : (
          <Once says="Give this address to your calendar program." text={address} />
        ))}
    </section>
  );
}
