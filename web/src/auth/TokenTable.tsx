import { Button } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { tokensQuery, useIdentityChange } from "~/api/identity";
import type { Grant, NewToken, Token } from "~/api/types";
import { Answer } from "~/components/Answer";
import { type Column, DataTable } from "~/components/DataTable";
import { EmptyNote } from "~/components/EmptyNote";
import { ErrorNote } from "~/components/ErrorNote";
import { When } from "~/components/When";
import { Once } from "./Once";
import { TokenForm } from "./TokenForm";

/** A role and where it holds, in words. */
export function grantText(grant: Grant): string {
  const tenants = grant.tenants?.length ? ` on ${grant.tenants.join(", ")}` : "";
  const names = grant.namespaces?.length ? ` in ${grant.namespaces.join(", ")}` : "";
  return `${grant.role}${tenants}${names}`;
}

/** One's own tokens with a form to make one, or everybody's for an administrator. */
export function TokenTable({ all = false }: { all?: boolean }) {
  const query = useQuery(tokensQuery(all));
  const change = useIdentityChange<NewToken>();
  const text = change.data?.text;
  const at = (one: Token) => `${all ? "/admin" : ""}/tokens/${one.id}`;
  const columns: Column<Token>[] = [
    { key: "name", head: "For", cell: (one) => one.name },
    ...(all
      ? [{ key: "owner", head: "Owner", cell: (one: Token) => one.owner || `service, by ${one.maker}` }]
      : []),
    { key: "grants", head: "May", cell: (one) => one.grants.map(grantText).join("; ") },
    {
      key: "seen",
      head: "Last used",
      cell: (one) => (one.seen ? <When at={one.seen} ago /> : "never"),
    },
    { key: "expires", head: "Expires", cell: (one) => <When at={one.expires} /> },
    {
      key: "change",
      head: "Change",
      full: true,
      cell: (one) => (
        <span className="row">
          {(!all || !one.owner) && (
            <Button
              variant="default"
              size="compact-xs"
              aria-label={`Rotate ${one.name}`}
              onClick={() => change.mutate({ method: "POST", path: `${at(one)}/rotate`, body: {} })}
            >
              Rotate
            </Button>
          )}
          <Button
            variant="default"
            size="compact-xs"
            aria-label={`Revoke ${one.name}`}
            onClick={() => change.mutate({ method: "DELETE", path: at(one) })}
          >
            Revoke
          </Button>
        </span>
      ),
    },
  ];
  return (
    <section className="panel stack" aria-label="Tokens">
      {!all && <TokenForm />}
      {text && <Once says="The new text is shown once; the one before is taken for a while." text={text} />}
      {change.error && <ErrorNote what="the token" error={change.error} />}
      <Answer query={query} what="the tokens" height={80}>
        {(data) =>
          data.tokens?.length ? (
            <DataTable label="Tokens" rows={data.tokens} columns={columns} rowKey={(one) => one.id} />
          ) : (
            <EmptyNote title="There is no token yet.">
              A program shows one as Authorization: Bearer instead of a session.
            </EmptyNote>
          )
        }
      </Answer>
    </section>
  );
}
