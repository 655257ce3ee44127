import { Button, Select, TextInput } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { shiftsQuery, useProposeSwap } from "~/api/oncall";
import type { OnCallSchedule } from "~/api/types";
import { ErrorNote } from "~/components/ErrorNote";
import { formatSpan } from "~/format/time";
import { useTimeRange } from "~/time/useTimeRange";
import { personName } from "./oncall";

/** How far ahead shifts are offered. */
const days = 60;

/** Asks somebody, or anybody, to take a shift. */
export function SwapForm({ schedules, by }: { schedules: readonly OnCallSchedule[]; by: string }) {
  const [schedule, setSchedule] = useState<string | null>(null);
  const [shift, setShift] = useState<string | null>(null);
  const [to, setTo] = useState<string | null>(null);
  const [reason, setReason] = useState("");
  const { zone } = useTimeRange();
  const propose = useProposeSwap();
  const shifts = useQuery({ ...shiftsQuery(schedule ?? "", days), enabled: schedule !== null }).data?.shifts;
  const chosen = shifts?.find((one) => one.start === shift);
  const people = new Map(
    schedules.flatMap((one) => one.people ?? []).map((one) => [one.name, personName(one)]),
  );
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (!schedule || !chosen) return;
    propose.mutate(
      {
        schedule,
        from: chosen.person.name,
        start: chosen.start,
        end: chosen.end,
        reason,
        by,
        ...(to ? { to } : {}),
      },
      {
        onSuccess: () => {
          setShift(null);
          setReason("");
        },
      },
    );
  };
  return (
    <form className="row" style={{ alignItems: "flex-end" }} onSubmit={submit} aria-label="Propose a swap">
      <Select
        label="Schedule"
        data={schedules.map(({ name }) => name)}
        value={schedule}
        onChange={(value) => {
          setSchedule(value);
          setShift(null);
        }}
      />
      <Select
        label="Shift"
        placeholder="whose, and when"
        data={(shifts ?? []).map((one) => ({
          value: one.start,
          label: `${personName(one.person)}, ${formatSpan(Date.parse(one.start), Date.parse(one.end), zone)}`,
        }))}
        value={shift}
        disabled={!schedule}
        style={{ flex: "1 1 280px" }}
        onChange={setShift}
      />
      <Select
        label="Ask"
        placeholder="anybody"
        clearable
        data={[...people]
          .filter(([name]) => name !== chosen?.person.name)
          .map(([value, label]) => ({ value, label }))}
        value={to}
        onChange={setTo}
      />
      <TextInput
        label="Reason"
        value={reason}
        maxLength={500}
        onChange={(e) => setReason(e.currentTarget.value)}
      />
      <Button type="submit" size="sm" loading={propose.isPending} disabled={!chosen}>
        Propose the swap
      </Button>
      {propose.error && <ErrorNote what="the swap" error={propose.error} />}
    </form>
  );
}
