import { Button } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { correctionsQuery, useUncorrect } from "~/api/budgets";
import type { Correction } from "~/api/types";
import { Answer } from "~/components/Answer";
import { type Column, DataTable } from "~/components/DataTable";
import { ErrorNote } from "~/components/ErrorNote";
import { TamperedMark } from "~/components/TamperedMark";
import { useWho } from "~/components/useWho";
import { When } from "~/components/When";
import { formatDuration } from "~/format/duration";
import { CorrectionForm } from "./CorrectionForm";

function seconds(correction: Correction): number {
  return (Date.parse(correction.end) - Date.parse(correction.start)) / 1000;
}

/** What does not count against the contract: who took it out and why; add one, take one back. */
export function Corrections({ name }: { name: string }) {
  const { name: who } = useWho();
  const query = useQuery(correctionsQuery(name));
  const uncorrect = useUncorrect(name);
  const [adding, setAdding] = useState(false);
  const columns: Column<Correction>[] = [
    {
      key: "reason",
      head: "Reason",
      full: true,
      cell: (one) => (
        <>
          <TamperedMark what="This correction" text={one.tampered} /> {one.reason}
        </>
      ),
    },
    { key: "kind", head: "Kind", cell: (one) => one.kind },
    { key: "author", head: "By", cell: (one) => one.author },
    { key: "from", head: "From", cell: (one) => <When at={one.start} /> },
    { key: "to", head: "To", cell: (one) => <When at={one.end} /> },
    { key: "length", head: "Length", numeric: true, cell: (one) => formatDuration(seconds(one)) },
    {
      key: "remove",
      head: "Take back",
      cell: (one) => (
        <Button
          variant="default"
          size="compact-xs"
          aria-label={`Take back: ${one.reason}`}
          loading={uncorrect.isPending && uncorrect.variables?.id === one.id}
          onClick={() => uncorrect.mutate({ id: one.id ?? "", actor: who })}
        >
          Take back
        </Button>
      ),
    },
  ];
  return (
    <section className="panel stack tight" aria-label="Corrections">
      <div className="row between">
        <h2>Corrections</h2>
        <Button variant="default" size="compact-sm" aria-expanded={adding} onClick={() => setAdding(!adding)}>
          {adding ? "Close the form" : "Add a correction"}
        </Button>
      </div>
      {adding && <CorrectionForm name={name} onDone={() => setAdding(false)} />}
      {uncorrect.error && <ErrorNote what="the change" error={uncorrect.error} />}
      <Answer query={query} what="the corrections" height={40}>
        {({ corrections }) =>
          corrections.length > 0 ? (
            <DataTable
              label="Corrections"
              rows={corrections}
              columns={columns}
              rowKey={(one) => one.id ?? one.start}
            />
          ) : (
            <p className="dim">
              Nothing is taken out: the contract's numbers are the users' numbers. Announced maintenance is
              taken out here, with an author and a reason; what users felt stays in sight beside it.
            </p>
          )
        }
      </Answer>
    </section>
  );
}
