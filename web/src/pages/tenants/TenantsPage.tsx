import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import type { TenantList, TenantUsage } from "~/api/types";
import { Answer } from "~/components/Answer";
import { type Column, DataTable } from "~/components/DataTable";
import { EmptyNote } from "~/components/EmptyNote";
import { PageHead } from "~/components/PageHead";
import { StateMark } from "~/components/StateMark";
import { When } from "~/components/When";
import { formatCount, formatFigure, plural } from "~/format/number";
import { diskOf, encryptedOf, healthOf, intakeOf, isNear, nearText, tenantsQuery } from "./tenants";

function answer(list: TenantList | undefined, error: Error | null): string {
  if (!list) return error ? "It is not known which tenants there are." : "Reading the tenants";
  const all = list.tenants ?? [];
  const ill = all.filter((one) => healthOf(one).tone !== "ok").map((one) => one.name);
  const near = all.filter(isNear).map((one) => one.name);
  const parts = [
    ill.length ? `${ill.join(", ")} ${ill.length === 1 ? "has" : "have"} problems` : "",
    near.length ? `${near.join(", ")} ${near.length === 1 ? "is" : "are"} near a limit` : "",
  ].filter(Boolean);
  return `You may see ${plural(all.length, "tenant")}; ${parts.join(", ") || "none has problems or is near a limit"}.`;
}

/** Which tenants are there, what does each take, and is it well? */
export function TenantsPage() {
  const query = useQuery(tenantsQuery);
  const all = query.data?.tenants ?? [];
  return (
    <>
      <PageHead title="Tenants" answer={answer(query.data, query.error)} />
      <Answer query={query} what="the tenants" height={240}>
        {(data) => (
          <>
            <section className="panel stack" aria-label="Tenants">
              <DataTable
                label="Tenants"
                rows={data.tenants ?? []}
                columns={columns(Date.now())}
                rowKey={(one) => one.name}
              />
              {all.length === 1 && all[0]?.turns.length === 0 && <OneTenant />}
            </section>
            {(data.unowned ?? []).length > 0 && <Unowned rows={data.unowned ?? []} />}
          </>
        )}
      </Answer>
    </>
  );
}

function columns(now: number): Column<TenantUsage>[] {
  return [
    {
      key: "name",
      head: "Tenant",
      full: true,
      cell: (one) => (
        <Link to="/" search={(old) => ({ ...old, tenant: one.name })} data-row>
          {one.name}
        </Link>
      ),
    },
    {
      key: "health",
      head: "Health",
      cell: (one) => {
        const { tone, word } = healthOf(one);
        return <StateMark tone={tone} word={one.problem ? `${word}: ${one.problem}` : word} />;
      },
    },
    {
      key: "last",
      head: "Last data",
      cell: (one) => (one.last_data ? <When at={one.last_data} ago /> : "none yet"),
    },
    { key: "series", head: "Series", numeric: true, cell: (one) => formatCount(one.active_series) },
    { key: "disk", head: "On disk", numeric: true, cell: (one) => formatFigure(diskOf(one), "bytes") },
    { key: "encrypted", head: "Encrypted", cell: encryptedOf },
    { key: "intake", head: "Intake", numeric: true, cell: (one) => intakeOf(one, now) },
    {
      key: "cost",
      head: "Questions took",
      numeric: true,
      cell: (one) => formatFigure(one.usage.query_seconds, "seconds"),
    },
    {
      key: "waiting",
      head: "Waiting",
      numeric: true,
      cell: (one) => formatCount(one.turns.reduce((sum, t) => sum + t.waiting, 0)),
    },
    { key: "near", head: "Of its limits", cell: (one) => nearText(one) },
  ];
}

function OneTenant() {
  return (
    <EmptyNote title="Everything is of one tenant." command={"tenants:\n  - name: acme"}>
      Name others in the configuration, and each has data, rules, limits and retention of its own.
    </EmptyNote>
  );
}

type UnownedRow = NonNullable<TenantList["unowned"]>[number];

function Unowned({ rows }: { rows: readonly UnownedRow[] }) {
  return (
    <section className="panel stack" aria-label="Of nobody">
      <h2>Data that no tenant sees as its own</h2>
      <DataTable
        label="Of nobody"
        rows={rows}
        rowKey={(row) => `${row.where} ${row.tenant}`}
        columns={[
          { key: "tenant", head: "Stored as", cell: (row) => row.tenant },
          {
            key: "where",
            head: "Where",
            cell: (row) => <code style={{ overflowWrap: "anywhere" }}>{row.where}</code>,
          },
          {
            key: "rows",
            head: "What",
            cell: (row) =>
              row.logs + row.spans > 0
                ? `${plural(row.logs, "log record")}, ${plural(row.spans, "span")}`
                : "the folder of a tenant that is not named any more",
          },
          { key: "cure", head: "What to do", full: true, cell: (row) => row.cure },
        ]}
      />
    </section>
  );
}
