import { Button, TextInput } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { useIdentityChange, usersQuery } from "~/api/identity";
import type { User } from "~/api/types";
import { Once } from "~/auth/Once";
import { listOf } from "~/auth/TokenForm";
import { Answer } from "~/components/Answer";
import { type Column, DataTable } from "~/components/DataTable";
import { ErrorNote } from "~/components/ErrorNote";
import { StateMark } from "~/components/StateMark";
import { When } from "~/components/When";
import { GroupsCell } from "./GroupsCell";

/** Local users: add, disable, another link, groups. */
export function UserTable() {
  const query = useQuery(usersQuery);
  const change = useIdentityChange<{ path?: string }>();
  const [name, setName] = useState("");
  const [groups, setGroups] = useState("signalbox:viewer");
  const at = (one: User) => `/users/${encodeURIComponent(one.name)}`;
  const add = (event: FormEvent) => {
    event.preventDefault();
    const body = { name: name.trim(), groups: listOf(groups) };
    change.mutate({ method: "POST", path: "/users", body }, { onSuccess: () => setName("") });
  };
  const columns: Column<User>[] = [
    { key: "name", head: "Name", cell: (one) => one.shown || one.name },
    {
      key: "state",
      head: "State",
      cell: (one) =>
        one.disabled ? (
          <StateMark tone="unknown" word="Disabled" />
        ) : one.password_changed ? (
          <StateMark tone="ok" word="May log in" />
        ) : (
          <StateMark tone="caution" word="Has no password yet" />
        ),
    },
    {
      key: "groups",
      head: "Groups",
      full: true,
      cell: (one) => (
        <GroupsCell
          user={one}
          onSave={(list) => change.mutate({ method: "PATCH", path: at(one), body: { groups: list } })}
        />
      ),
    },
    { key: "created", head: "Added", cell: (one) => <When at={one.created} /> },
    {
      key: "change",
      head: "Change",
      full: true,
      cell: (one) => (
        <span className="row">
          <Button
            variant="default"
            size="compact-xs"
            aria-label={`New link for ${one.name}`}
            onClick={() => change.mutate({ method: "POST", path: `${at(one)}/link` })}
          >
            New link
          </Button>
          <Button
            variant="default"
            size="compact-xs"
            aria-label={`${one.disabled ? "Enable" : "Disable"} ${one.name}`}
            onClick={() =>
              change.mutate({ method: "PATCH", path: at(one), body: { disabled: !one.disabled } })
            }
          >
            {one.disabled ? "Enable" : "Disable"}
          </Button>
        </span>
      ),
    },
  ];
  const path = change.data?.path;
  return (
    <section className="panel stack" aria-label="Users">
      <form onSubmit={add} className="row" style={{ alignItems: "flex-end" }} aria-label="Add a user">
        <TextInput
          label="Name"
          required
          style={{ flex: "1 1 160px" }}
          value={name}
          onChange={(event) => setName(event.currentTarget.value)}
        />
        <TextInput
          label="Groups"
          description="signalbox:ROLE gives a role; commas between"
          style={{ flex: "2 1 260px" }}
          value={groups}
          onChange={(event) => setGroups(event.currentTarget.value)}
        />
        <Button type="submit" size="sm" loading={change.isPending}>
          Add the user
        </Button>
      </form>
      {path && (
        <Once
          says="Hand this link to the user and to nobody else; it works once, within 24 h."
          text={`${window.location.origin}${path}`}
        />
      )}
      {change.error && <ErrorNote what="the user" error={change.error} />}
      <Answer query={query} what="the users" height={120}>
        {(data) => (
          <DataTable label="Users" rows={data.users ?? []} columns={columns} rowKey={(one) => one.name} />
        )}
      </Answer>
    </section>
  );
}
