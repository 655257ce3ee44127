import { Button } from "@mantine/core";
import type { UseQueryResult } from "@tanstack/react-query";
import { useState } from "react";
import { useExpireSilence } from "~/api/mutations";
import type { Silence } from "~/api/types";
import { Answer } from "~/components/Answer";
import { type Column, DataTable } from "~/components/DataTable";
import { EmptyNote } from "~/components/EmptyNote";
import { ErrorNote } from "~/components/ErrorNote";
import { StateMark } from "~/components/StateMark";
import { When } from "~/components/When";
import { matcherText } from "./matchers";
import { SilenceForm } from "./SilenceForm";

function Expire({ silence }: { silence: Silence }) {
  const expire = useExpireSilence();
  const [sure, setSure] = useState(false);
  if (silence.status.state === "expired") return null;
  if (expire.error) return <ErrorNote what="the end of the silence" error={expire.error} />;
  return (
    <Button
      variant={sure ? "filled" : "default"}
      loading={expire.isPending}
      onClick={() => (sure ? expire.mutate(silence.id) : setSure(true))}
      onBlur={() => setSure(false)}
    >
      {sure ? "End it now" : "Expire"}
    </Button>
  );
}

const columns: Column<Silence>[] = [
  {
    key: "matchers",
    head: "Silences",
    full: true,
    cell: (silence) => <code>{matcherText(silence.matchers)}</code>,
  },
  {
    key: "state",
    head: "State",
    cell: (silence) => (
      <StateMark
        tone={silence.status.state === "active" ? "caution" : "unknown"}
        word={{ active: "Active", pending: "Not begun", expired: "Expired" }[silence.status.state]}
      />
    ),
  },
  { key: "ends", head: "Until", cell: (silence) => <When at={silence.endsAt} /> },
  { key: "by", head: "By", cell: (silence) => silence.createdBy },
  { key: "why", head: "Why", cell: (silence) => silence.comment },
  { key: "do", head: "Next", cell: (silence) => <Expire silence={silence} /> },
];

/** What is kept quiet, by whom, why and until when. */
export function Silences({
  query,
  prefill,
}: {
  query: UseQueryResult<Silence[]>;
  prefill: string | undefined;
}) {
  const [expired, setExpired] = useState(false);
  return (
    <div className="stack">
      <section className="panel">
        <SilenceForm key={prefill ?? ""} prefill={prefill} />
      </section>
      <Answer query={query} what="the silences" height={160}>
        {(silences) => {
          const shown = silences.filter((silence) => expired || silence.status.state !== "expired");
          const hidden = silences.length - shown.length;
          return (
            <div className="stack tight">
              {shown.length > 0 ? (
                <section className="panel">
                  <DataTable
                    label="Silences"
                    rows={shown}
                    columns={columns}
                    rowKey={(silence) => silence.id}
                  />
                </section>
              ) : (
                <EmptyNote title="Nothing is silenced.">Every alert reaches its receiver.</EmptyNote>
              )}
              {(hidden > 0 || expired) && (
                <button type="button" className="linkish small" onClick={() => setExpired(!expired)}>
                  {expired ? "Hide the expired" : `Show ${hidden} expired`}
                </button>
              )}
            </div>
          );
        }}
      </Answer>
    </div>
  );
}
