import { Button } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { swapsQuery, useAnswerSwap } from "~/api/oncall";
import type { OnCallSchedule, Swap } from "~/api/types";
import { may, useMe } from "~/auth/me";
import { Answer } from "~/components/Answer";
import { type Column, DataTable } from "~/components/DataTable";
import { ErrorNote } from "~/components/ErrorNote";
import { StateMark, type Tone } from "~/components/StateMark";
import { useWho } from "~/components/useWho";
import { When } from "~/components/When";
import { WhoField } from "~/components/WhoField";
import { SwapForm } from "./SwapForm";

const tones: Record<Swap["state"], Tone> = {
  proposed: "caution",
  accepted: "ok",
  declined: "unknown",
  withdrawn: "unknown",
};

const columns: Column<Swap>[] = [
  { key: "state", head: "State", cell: (one) => <StateMark tone={tones[one.state]} word={one.state} /> },
  { key: "schedule", head: "Schedule", cell: (one) => one.schedule },
  { key: "who", head: "Gives to", cell: (one) => `${one.from} → ${one.to || "anybody"}` },
  { key: "from", head: "From", cell: (one) => <When at={one.start} /> },
  { key: "to", head: "To", cell: (one) => <When at={one.end} /> },
  { key: "return", head: "In return", cell: (one) => <InReturn swap={one} /> },
  { key: "why", head: "What to know", full: true, cell: (one) => <Notes swap={one} /> },
];

function InReturn({ swap: { in_return: back } }: { swap: Swap }) {
  if (!back) return "–";
  return (
    <>
      {back.schedule}, <When at={back.start} />
    </>
  );
}

function Notes({ swap: { reason, notes, told, answer } }: { swap: Swap }) {
  const answered = answer && `by ${answer.by}${answer.note ? `: ${answer.note}` : ""}`;
  const parts = [reason, answered, ...notes, told && `told: ${told}`].filter(Boolean);
  return parts.length > 0 ? parts.join("; ") : "–";
}

/** Shifts that people ask others to take, and the answers. */
export function Swaps({ schedules }: { schedules: readonly OnCallSchedule[] }) {
  const query = useQuery(swapsQuery);
  const me = useMe();
  const who = useWho();
  const answer = useAnswerSwap();
  const allowed = may(me, "oncall.swap");
  const press = (swap: Swap, word: "accept" | "decline" | "withdraw") => (
    <Button
      size="compact-sm"
      variant={word === "accept" ? "filled" : "default"}
      disabled={answer.isPending || !who.name.trim()}
      onClick={() => answer.mutate({ id: swap.id, answer: word, by: who.name.trim() })}
    >
      {word[0]?.toUpperCase() + word.slice(1)}
    </Button>
  );
  const actions: Column<Swap> = {
    key: "actions",
    head: "Answer",
    cell: (one) =>
      one.state === "proposed" ? (
        <span className="row">
          {press(one, "accept")}
          {press(one, "decline")}
          {press(one, "withdraw")}
        </span>
      ) : (
        "–"
      ),
  };
  return (
    <section className="panel stack tight">
      <h2>Swaps</h2>
      <p className="small dim">
        Ask somebody to take a shift. Nothing changes until they accept; then it is an override, with both
        names in the audit log.
      </p>
      <Answer query={query} what="the swaps" height={80}>
        {({ swaps }) =>
          swaps.length > 0 ? (
            <DataTable
              label="Swaps of shifts"
              rows={swaps}
              columns={allowed ? [...columns, actions] : columns}
              rowKey={(one) => one.id}
            />
          ) : (
            <p className="dim">Nobody asks anybody to take a shift.</p>
          )
        }
      </Answer>
      {answer.error && <ErrorNote what="the answer" error={answer.error} />}
      {allowed && !who.proved && <WhoField who={who} label="Your name in oncall_files" />}
      {allowed && <SwapForm schedules={schedules} by={who.name.trim()} />}
    </section>
  );
}
