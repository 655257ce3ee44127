import { Menu } from "@mantine/core";
import { Link } from "@tanstack/react-router";
import { useLogout } from "~/auth/login";
import { may, nameOf, useMe } from "~/auth/me";
import { Icon } from "~/components/Icon";
import classes from "./Shell.module.css";

/** Who is logged in, and the way out. Nothing where nobody has to log in. */
export function UserMenu({ compact }: { compact?: boolean }) {
  const me = useMe();
  const logout = useLogout();
  if (!me) return null;
  const name = nameOf(me);
  return (
    <Menu position={compact ? "bottom-start" : "right-end"} width={220} withinPortal>
      <Menu.Target>
        <button type="button" className={classes.footButton} aria-label={`Logged in as ${name}`} title={name}>
          <Icon name="person" size={18} />
          {!compact && <span className={classes.userName}>{name}</span>}
        </button>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Label>
          {me.subject}
          {me.tenant !== "default" && `, tenant ${me.tenant}`}
        </Menu.Label>
        <Menu.Item component={Link} to="/me">
          What I may
        </Menu.Item>
        <Menu.Item renderRoot={(props) => <Link to="/me" search={{ tab: "tokens" }} {...props} />}>
          Tokens
        </Menu.Item>
        <Menu.Item renderRoot={(props) => <Link to="/me" search={{ tab: "sessions" }} {...props} />}>
          Sessions
        </Menu.Item>
        {may(me, "status.read") && (
          <Menu.Item component={Link} to="/tenants">
            Tenants
          </Menu.Item>
        )}
        {(may(me, "auth.manage") || may(me, "audit.read")) && <Menu.Divider />}
        {may(me, "auth.manage") && (
          <Menu.Item component={Link} to="/admin">
            Users and roles
          </Menu.Item>
        )}
        {may(me, "auth.manage") && (
          <Menu.Item component={Link} to="/access-review">
            Access review
          </Menu.Item>
        )}
        {may(me, "audit.read") && (
          <Menu.Item component={Link} to="/audit">
            Audit log
          </Menu.Item>
        )}
        <Menu.Divider />
        <Menu.Item onClick={() => logout.mutate()}>Log out</Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
}
