import { Button, TextInput } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { Link, useNavigate, useSearch } from "@tanstack/react-router";
import { type FormEvent, useState } from "react";
import { buildUrl } from "~/api/client";
import { auditQuery, auditTargetsQuery, auditVerifyQuery } from "~/api/identity";
import type { AuditEntry, AuditVerified } from "~/api/types";
import { Answer } from "~/components/Answer";
import { type Column, DataTable } from "~/components/DataTable";
import { DownloadLink } from "~/components/DownloadLink";
import { EmptyNote } from "~/components/EmptyNote";
import { PageHead } from "~/components/PageHead";
import { TamperedMark } from "~/components/TamperedMark";
import { When } from "~/components/When";
import { formatCount } from "~/format/number";
import { useTimeRange } from "~/time/useTimeRange";
import { Shipping } from "./Shipping";
import { behindAnswer } from "./shipping";
import { useHome } from "./useHome";

const fields = ["actor", "action", "subject", "text"] as const;
type Filter = Partial<Record<(typeof fields)[number], string>>;

/** Whether the log is as it was written, in a sentence. */
export function auditAnswer(v: AuditVerified | undefined): string {
  if (!v) return "Checking the audit log";
  if (v.intact && v.touched?.length)
    return `The audit log is as it was written; records in the database that it proves are not: ${formatCount(v.touched.length)}.`;
  if (v.intact) return `The audit log is as it was written: ${formatCount(v.entries)} entries.`;
  return `The audit log was changed: ${v.fault ?? "an entry does not fit"}.`;
}

const columns: Column<AuditEntry>[] = [
  { key: "time", head: "When", cell: (one) => <When at={one.time} /> },
  { key: "actor", head: "Who", cell: (one) => one.actor || "–" },
  {
    key: "action",
    head: "Did",
    cell: (one) => (
      <>
        <code>{one.action}</code> <TamperedMark what="This entry" text={one.tampered} />
      </>
    ),
  },
  { key: "subject", head: "To", cell: (one) => one.subject },
  {
    key: "details",
    head: "Details",
    full: true,
    cell: (one) => (
      <span className="small dim" style={{ overflowWrap: "anywhere" }}>
        {Object.entries(one.details ?? {})
          .map(([key, value]) => `${key} ${value}`)
          .join(", ") || "–"}
      </span>
    ),
  },
];

/** Who did what, and is the record of it whole? */
export function AuditPage() {
  const search = useSearch({ strict: false });
  const { resolved } = useTimeRange();
  const verify = useQuery(auditVerifyQuery);
  const home = useHome();
  const targets = useQuery({ ...auditTargetsQuery, enabled: home });
  const behind = behindAnswer(targets.data?.targets ?? []);
  const filter: Filter = Object.fromEntries(fields.map((key) => [key, search[key]]));
  const ranged = Boolean(search.last || search.from);
  const params = {
    ...filter,
    // Without a range in the address the last week is shown, as the server does.
    ...(ranged
      ? { start: new Date(resolved.from).toISOString(), end: new Date(resolved.to).toISOString() }
      : {}),
    before: search.before,
    limit: 100,
  };
  const query = useQuery(auditQuery(params));
  const bad = verify.data && (!verify.data.intact || Boolean(verify.data.touched?.length));
  return (
    <>
      <PageHead
        title="Audit log"
        answer={[
          verify.error ? "It is not known whether the audit log is whole." : auditAnswer(verify.data),
          behind,
        ]
          .filter(Boolean)
          .join(" ")}
        tone={verify.data ? (bad ? "danger" : behind ? "caution" : "ok") : undefined}
        actions={
          <DownloadLink href={buildUrl("/sb/v1/audit", { ...params, limit: 1000 })} name="audit.json">
            Export as JSON
          </DownloadLink>
        }
      >
        <Link to="/access-review">Access review</Link>: who may what.{" "}
        {verify.data?.hash && (
          <span style={{ overflowWrap: "anywhere" }}>
            Hash of the newest entry: <code>{verify.data.hash}</code>
          </span>
        )}
      </PageHead>
      {verify.data?.touched?.length ? (
        <section className="panel stack" aria-label="Records that were touched">
          <h2>Records that are not what the log notes</h2>
          <ul style={{ overflowWrap: "anywhere" }}>
            {verify.data.touched.map((one) => (
              <li key={one}>{one}.</li>
            ))}
          </ul>
        </section>
      ) : null}
      {home && !(query.error && targets.error) && <Shipping query={targets} />}
      <section className="panel stack" aria-label="Entries">
        <FilterForm key={JSON.stringify(filter)} initial={filter} />
        {!ranged && <p className="dim small">The last 7 days; choose a range above for another.</p>}
        <Answer query={query} what="the audit log" height={400}>
          {(data) => (
            <>
              {data.entries?.length ? (
                <DataTable
                  label="Audit entries"
                  rows={data.entries}
                  columns={columns}
                  rowKey={(one) => String(one.id)}
                />
              ) : (
                <EmptyNote title="Nothing fits.">Widen the time range or take a filter out.</EmptyNote>
              )}
              <div className="row">
                {search.before && (
                  <Link to="/audit" search={(old) => ({ ...old, before: undefined })}>
                    Newest
                  </Link>
                )}
                {data.next && (
                  <Link to="/audit" search={(old) => ({ ...old, before: data.next })}>
                    Older
                  </Link>
                )}
              </div>
            </>
          )}
        </Answer>
      </section>
    </>
  );
}

const labels = { actor: "Who", action: "Action", subject: "To what", text: "Anywhere in it" } as const;

function FilterForm({ initial }: { initial: Filter }) {
  const navigate = useNavigate();
  const [filter, setFilter] = useState(initial);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    void navigate({ to: "/audit", search: (old) => ({ ...old, ...filter, before: undefined }) });
  };
  return (
    <form className="row" style={{ alignItems: "flex-end" }} onSubmit={submit} aria-label="Search">
      {fields.map((key) => (
        <TextInput
          key={key}
          label={labels[key]}
          style={{ flex: "1 1 150px" }}
          value={filter[key] ?? ""}
          {...(key === "text" ? { "data-search": true } : {})}
          onChange={(event) => setFilter({ ...filter, [key]: event.currentTarget.value || undefined })}
        />
      ))}
      <Button type="submit" size="sm">
        Search
      </Button>
    </form>
  );
}
