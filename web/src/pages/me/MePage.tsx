import { useQuery } from "@tanstack/react-query";
import { useSearch } from "@tanstack/react-router";
import type { Me } from "~/api/types";
import { meQuery, nameOf } from "~/auth/me";
import { SessionTable } from "~/auth/SessionTable";
import { TokenTable } from "~/auth/TokenTable";
import { Answer } from "~/components/Answer";
import { type Column, DataTable } from "~/components/DataTable";
import { EmptyNote } from "~/components/EmptyNote";
import { PageHead } from "~/components/PageHead";
import { StateMark } from "~/components/StateMark";
import { TabBar } from "~/components/TabBar";
import { MyTenants } from "./MyTenants";
import { PasswordForm } from "./PasswordForm";

function answer(me: Me | undefined): string {
  if (!me) return "Reading who you are";
  if (me.kind === "nobody") return "Authentication is off: whoever is on this machine may everything.";
  const can = me.permissions.filter((row) => row.allowed).length;
  return `You are ${nameOf(me)} and may ${can} of ${me.permissions.length} things on the tenant ${me.tenant}.`;
}

/** Who am I, what may I, and why? */
export function MePage() {
  const { tab } = useSearch({ strict: false });
  const query = useQuery(meQuery);
  const me = query.data;
  return (
    <>
      <PageHead title="Who am I" answer={query.error ? "It is not known who you are." : answer(me)}>
        {me?.subject && `${me.subject}${me.groups.length ? `, in ${me.groups.join(", ")}` : ""}`}
      </PageHead>
      <Answer query={query} what="who you are">
        {(data) =>
          data.kind === "nobody" ? (
            <EmptyNote
              title="Let nobody in who does not say who they are"
              command="signalbox serve --auth.enabled"
            >
              The console then shows a link for the first administrator.
            </EmptyNote>
          ) : (
            <TabBar
              open={tab}
              tabs={[
                { key: "may", label: "What I may", body: <Permissions me={data} /> },
                { key: "tenants", label: "Tenants", body: <MyTenants /> },
                { key: "tokens", label: "Tokens", body: <TokenTable /> },
                { key: "sessions", label: "Sessions", body: <SessionTable /> },
                ...(data.provider === "local"
                  ? [{ key: "password", label: "Password", body: <PasswordForm /> }]
                  : []),
              ]}
            />
          )
        }
      </Answer>
    </>
  );
}

type Row = Me["permissions"][number];

const columns: Column<Row>[] = [
  {
    key: "allowed",
    head: "May",
    cell: (row) => <StateMark tone={row.allowed ? "ok" : "unknown"} word={row.allowed ? "Yes" : "No"} />,
  },
  { key: "permission", head: "Permission", cell: (row) => <code>{row.permission}</code> },
  { key: "allows", head: "To", full: true, cell: (row) => row.allows },
  {
    key: "namespaces",
    head: "In",
    cell: (row) => (row.allowed ? row.namespaces.join(", ") || "all namespaces" : "–"),
  },
  {
    key: "by",
    head: "Because of",
    cell: (row) => row.by.join(", ") || "nothing gives it; an administrator can",
  },
];

function Permissions({ me }: { me: Me }) {
  return (
    <section className="panel" aria-label="Permissions">
      <DataTable
        label="Permissions"
        rows={me.permissions}
        columns={columns}
        rowKey={(row) => row.permission}
      />
    </section>
  );
}
