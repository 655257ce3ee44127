import { Button, Checkbox, Popover } from "@mantine/core";
import { Link, useNavigate, useSearch } from "@tanstack/react-router";
import { useState } from "react";
import { tenantNames } from "~/api/tenant";
import type { Status } from "~/api/types";
import classes from "./TenantSwitch.module.css";

/** Which tenant the pages are about, for those who may see several; it stands in the address. */
export function TenantSwitch({ status }: { status: Status | undefined }) {
  const { tenant } = useSearch({ strict: false });
  const [opened, setOpened] = useState(false);
  const names = (status?.tenants ?? []).map((one) => one.name);
  const now = tenantNames(tenant);
  if (names.length < 2 && now.length === 0) return null;
  const word = now.length > 1 ? `${now.length} tenants` : (now[0] ?? "Tenant");
  return (
    <Popover opened={opened} onChange={setOpened} position="bottom-end" shadow="md" width={260} trapFocus>
      <Popover.Target>
        <Button
          variant="default"
          className={classes.button}
          aria-label={said(now)}
          aria-expanded={opened}
          onClick={() => setOpened(!opened)}
        >
          {word}
        </Button>
      </Popover.Target>
      <Popover.Dropdown>
        <Choices names={names} now={now} close={() => setOpened(false)} />
      </Popover.Dropdown>
    </Popover>
  );
}

function said(now: string[]): string {
  if (now.length > 1) return `${now.length} tenants: ${now.join(" and ")}`;
  return now[0] ? `Tenant ${now[0]}` : "Choose a tenant";
}

function Choices({ names, now, close }: { names: string[]; now: string[]; close: () => void }) {
  const navigate = useNavigate();
  const [together, setTogether] = useState(now.length > 1 ? now : []);
  const choose = (chosen: string[]) => {
    close();
    void navigate({ to: ".", search: (old) => ({ ...old, tenant: chosen.join("|") || undefined }) });
  };
  return (
    <div className={classes.choices}>
      <ul className={classes.names} aria-label="Tenants">
        {names.map((name) => (
          <li key={name} className={classes.row}>
            <button
              type="button"
              className={classes.name}
              aria-pressed={now.length === 1 && now[0] === name}
              onClick={() => choose([name])}
            >
              {name}
            </button>
            <Checkbox
              aria-label={`Read ${name} together with others`}
              checked={together.includes(name)}
              onChange={(event) => {
                const on = event.currentTarget.checked;
                setTogether((old) => (on ? [...old, name] : old.filter((one) => one !== name)));
              }}
            />
          </li>
        ))}
      </ul>
      <Button fullWidth disabled={together.length < 2} onClick={() => choose([...together].sort())}>
        Read {together.length < 2 ? "several" : together.length} together
      </Button>
      {now.length > 0 && (
        <Button fullWidth variant="default" onClick={() => choose([])}>
          No tenant chosen
        </Button>
      )}
      <Link to="/tenants" className="small" onClick={close}>
        What each takes and may
      </Link>
    </div>
  );
}

/** Says what several tenants together answer. */
export function TogetherNote() {
  const { tenant } = useSearch({ strict: false });
  const now = tenantNames(tenant);
  if (now.length < 2) return null;
  return (
    <p className={classes.note} role="note">
      {now.slice(0, -1).join(", ")} and {now.at(-1)} are read together: metrics, logs, traces, SLOs and
      services. Pages, alerts, deployments, the gate and all else are of one tenant: choose one to see them.
    </p>
  );
}
