import { Button, Select, Switch, TextInput } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { rolesQuery, useIdentityChange } from "~/api/identity";
import type { NewToken } from "~/api/types";
import { ErrorNote } from "~/components/ErrorNote";
import { may, useMe } from "./me";
import { Once } from "./Once";

const lifetimes = ["1d", "7d", "30d", "90d", "365d"];

/** Names that were typed between commas. */
export function listOf(text: string): string[] {
  return text
    .split(",")
    .map((one) => one.trim())
    .filter(Boolean);
}

/** Makes a token that may at most what its maker may. */
export function TokenForm() {
  const me = useMe();
  const roles = useQuery(rolesQuery);
  const make = useIdentityChange<NewToken>();
  const [name, setName] = useState("");
  const [role, setRole] = useState("viewer");
  const [tenants, setTenants] = useState("");
  const [namespaces, setNamespaces] = useState("");
  const [lifetime, setLifetime] = useState("30d");
  const [service, setService] = useState(false);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    const grant = { role, tenants: listOf(tenants), namespaces: listOf(namespaces) };
    const body = { name: name.trim(), grants: [grant], lifetime, ...(service ? { service } : {}) };
    make.mutate({ method: "POST", path: "/tokens", body }, { onSuccess: () => setName("") });
  };
  const wide = { flex: "1 1 150px" };
  return (
    <form onSubmit={submit} className="stack tight" aria-label="Make a token">
      <h2>Make a token</h2>
      <div className="row" style={{ alignItems: "flex-end" }}>
        <TextInput
          label="For"
          placeholder="grafana"
          required
          style={wide}
          value={name}
          onChange={(event) => setName(event.currentTarget.value)}
        />
        <Select
          label="Role"
          data={(roles.data?.roles ?? []).map((one) => one.name)}
          value={role}
          allowDeselect={false}
          style={wide}
          onChange={(value) => setRole(value ?? "viewer")}
        />
        <TextInput
          label="Tenants"
          placeholder="default"
          style={wide}
          value={tenants}
          onChange={(event) => setTenants(event.currentTarget.value)}
        />
        <TextInput
          label="Namespaces"
          placeholder="all"
          style={wide}
          value={namespaces}
          onChange={(event) => setNamespaces(event.currentTarget.value)}
        />
        <Select
          label="Lifetime"
          data={lifetimes}
          value={lifetime}
          allowDeselect={false}
          w={100}
          onChange={(value) => setLifetime(value ?? "30d")}
        />
        <Button type="submit" size="sm" loading={make.isPending}>
          Make it
        </Button>
      </div>
      {me && may(me, "auth.manage") && (
        <Switch
          label="Of a service account: it stays when you leave"
          checked={service}
          onChange={(event) => setService(event.currentTarget.checked)}
        />
      )}
      {make.error && <ErrorNote what="the token" error={make.error} />}
      {make.data && <Once says="Copy the token now; it is not shown again." text={make.data.text} />}
    </form>
  );
}
