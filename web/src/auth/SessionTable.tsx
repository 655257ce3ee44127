import { Button } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { sessionsQuery, useIdentityChange } from "~/api/identity";
import type { Session } from "~/api/types";
import { Answer } from "~/components/Answer";
import { type Column, DataTable } from "~/components/DataTable";
import { ErrorNote } from "~/components/ErrorNote";
import { When } from "~/components/When";

/** Where one is logged in, or everybody; each can be ended. */
export function SessionTable({ all = false }: { all?: boolean }) {
  const query = useQuery(sessionsQuery(all));
  const change = useIdentityChange();
  const columns: Column<Session>[] = [
    ...(all ? [{ key: "who", head: "Who", cell: (one: Session) => one.subject }] : []),
    { key: "agent", head: "Browser", full: true, cell: (one) => one.agent || "–" },
    { key: "remote", head: "From", cell: (one) => one.remote },
    { key: "seen", head: "Last used", cell: (one) => <When at={one.seen} ago /> },
    { key: "expires", head: "Ends at the latest", cell: (one) => <When at={one.expires} /> },
    {
      key: "end",
      head: "End",
      cell: (one) =>
        one.current ? (
          "this one"
        ) : (
          <Button
            variant="default"
            size="compact-xs"
            aria-label={`Log out there: ${one.subject} from ${one.remote}`}
            onClick={() =>
              change.mutate({ method: "DELETE", path: `${all ? "/admin" : ""}/sessions/${one.id}` })
            }
          >
            Log out there
          </Button>
        ),
    },
  ];
  return (
    <section className="panel stack tight" aria-label="Sessions">
      <div className="row between">
        <h2>{all ? "Where everybody is logged in" : "Where you are logged in"}</h2>
        {!all && (
          <Button
            variant="default"
            size="compact-sm"
            onClick={() => change.mutate({ method: "DELETE", path: "/sessions" })}
          >
            Log out everywhere else
          </Button>
        )}
      </div>
      {change.error && <ErrorNote what="the session" error={change.error} />}
      <Answer query={query} what="the sessions" height={80}>
        {(data) => (
          <DataTable label="Sessions" rows={data.sessions ?? []} columns={columns} rowKey={(one) => one.id} />
        )}
      </Answer>
    </section>
  );
}
