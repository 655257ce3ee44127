import { Button, Select, TextInput } from "@mantine/core";
import { type FormEvent, useState } from "react";
import { useTestChannel } from "~/api/escalations";
import type { ChannelTest as Result } from "~/api/types";
import { ErrorNote } from "~/components/ErrorNote";
import { StateMark } from "~/components/StateMark";
import { plural } from "~/format/number";

/** Sends a drill to one address, and says what the service made of it. */
export function ChannelTest({ channels }: { channels: string[] }) {
  const [channel, setChannel] = useState<string | null>(channels[0] ?? null);
  const [address, setAddress] = useState("");
  const test = useTestChannel();
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (channel && address.trim()) test.mutate({ channel, address: address.trim() });
  };
  return (
    <>
      <form className="row" style={{ alignItems: "flex-end" }} onSubmit={submit} aria-label="Send a test">
        <Select label="Channel" data={channels} value={channel} allowDeselect={false} onChange={setChannel} />
        <TextInput
          label="Address"
          placeholder="as the kind writes it"
          value={address}
          maxLength={500}
          style={{ flex: "0 1 320px" }}
          onChange={(event) => setAddress(event.currentTarget.value)}
        />
        <Button type="submit" size="sm" loading={test.isPending} disabled={!channel || !address.trim()}>
          Send a test
        </Button>
      </form>
      {test.error && <ErrorNote what="the test" error={test.error} />}
      {test.data && <Outcome {...test.data} />}
    </>
  );
}

function Outcome({ delivered, note, error, tries }: Result) {
  const said = delivered ? note : error;
  return (
    <p role="status">
      <StateMark
        tone={delivered ? "ok" : "danger"}
        word={delivered ? "The service took it" : "Not delivered"}
      />{" "}
      after {plural(tries.length, "try", "tries")}
      {said && `: ${said}`}
    </p>
  );
}
