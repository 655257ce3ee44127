import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { statusQuery } from "~/api/queries";
import { tenantAsked } from "~/api/tenant";
import { Answer } from "~/components/Answer";
import { DataTable } from "~/components/DataTable";
import { StateMark } from "~/components/StateMark";

/** The tenants whose status the caller may see. */
export function MyTenants() {
  const query = useQuery(statusQuery);
  return (
    <section className="panel stack" aria-label="My tenants">
      <Answer query={query} what="your tenants" height={80}>
        {(data) => (
          <DataTable
            label="My tenants"
            rows={data.tenants ?? []}
            rowKey={(one) => one.name}
            columns={[
              {
                key: "name",
                head: "Tenant",
                full: true,
                cell: (one) => (
                  <Link to="." search={(old) => ({ ...old, tenant: one.name })}>
                    {one.name}
                    {tenantAsked() === one.name && " (chosen)"}
                  </Link>
                ),
              },
              {
                key: "served",
                head: "Served",
                cell: (one) => (
                  <StateMark tone={one.served ? "ok" : "danger"} word={one.served ? "Yes" : "No"} />
                ),
              },
            ]}
          />
        )}
      </Answer>
      <p className="dim small">
        What you may is told for the tenant that is chosen. <Link to="/tenants">What each takes and may</Link>
      </p>
    </section>
  );
}
