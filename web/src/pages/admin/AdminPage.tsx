import { useQuery } from "@tanstack/react-query";
import { Link, useSearch } from "@tanstack/react-router";
import { usersQuery } from "~/api/identity";
import { SessionTable } from "~/auth/SessionTable";
import { TokenTable } from "~/auth/TokenTable";
import { PageHead } from "~/components/PageHead";
import { TabBar } from "~/components/TabBar";
import { plural } from "~/format/number";
import { RoleMatrix } from "./RoleMatrix";
import { UserTable } from "./UserTable";

/** Who may come in, and as what? */
export function AdminPage() {
  const { tab } = useSearch({ strict: false });
  const users = useQuery(usersQuery);
  const list = users.data?.users ?? [];
  const admins = list.filter((one) => !one.disabled && one.groups.includes("signalbox:admin")).length;
  const answer = users.data
    ? `${plural(list.length, "local user")} may log in with a password; ${admins} of them may everything.`
    : users.error
      ? "It is not known who may come in."
      : "Reading the users";
  return (
    <>
      <PageHead title="Users and roles" answer={answer}>
        <Link to="/access-review">Access review</Link>: who may what, and what should go.{" "}
        <Link to="/audit">Audit log</Link>: who did what.
      </PageHead>
      <TabBar
        open={tab}
        tabs={[
          { key: "users", label: "Users", body: <UserTable /> },
          { key: "roles", label: "Roles", body: <RoleMatrix /> },
          { key: "tokens", label: "All tokens", body: <TokenTable all /> },
          { key: "sessions", label: "All sessions", body: <SessionTable all /> },
        ]}
      />
    </>
  );
}
