import { useQuery } from "@tanstack/react-query";
import { rolesQuery } from "~/api/identity";
import type { Roles } from "~/api/types";
import { Answer } from "~/components/Answer";
import { type Column, DataTable } from "~/components/DataTable";
import { StateMark } from "~/components/StateMark";

type Row = NonNullable<Roles["permissions"]>[number];

/** Which role may what. */
export function RoleMatrix() {
  const query = useQuery(rolesQuery);
  return (
    <section className="panel" aria-label="Roles">
      <Answer query={query} what="the roles" height={400}>
        {({ roles, permissions }) => {
          const columns: Column<Row>[] = [
            { key: "permission", head: "Permission", cell: (row) => <code>{row.permission}</code> },
            { key: "allows", head: "To", full: true, cell: (row) => row.allows },
            ...roles.map((role) => ({
              key: role.name,
              head: role.name,
              cell: (row: Row) =>
                role.permissions.includes(row.permission) ? (
                  <StateMark tone="ok" word="may" />
                ) : (
                  <span className="dim">no</span>
                ),
            })),
          ];
          return (
            <DataTable label="Roles" rows={permissions} columns={columns} rowKey={(row) => row.permission} />
          );
        }}
      </Answer>
    </section>
  );
}
