import { useQuery } from "@tanstack/react-query";
import { Link, Outlet, useLocation } from "@tanstack/react-router";
import { useCallback, useState } from "react";
import { statusQuery } from "~/api/queries";
import { Icon } from "~/components/Icon";
import { TimeRangeControl } from "~/time/TimeRangeControl";
import { TimeRangeProvider } from "~/time/TimeRangeProvider";
import { KeyHelp } from "./KeyHelp";
import { isCurrent, navEntries } from "./nav";
import { Problems } from "./Problems";
import classes from "./Shell.module.css";
import { TenantSwitch, TogetherNote } from "./TenantSwitch";
import { ThemeSwitch } from "./ThemeSwitch";
import { UserMenu } from "./UserMenu";
import { useKeyboard } from "./useKeyboard";

/** The frame of every page: rail or bottom bar, time range, problems of the server itself. */
export function Shell() {
  const [help, setHelp] = useState(false);
  const openHelp = useCallback(() => setHelp(true), []);
  useKeyboard(openHelp);
  const path = useLocation({ select: (location) => location.pathname });
  const status = useQuery(statusQuery);
  return (
    <TimeRangeProvider>
      <a className="skip" href="#main">
        Skip to the content
      </a>
      <div className={classes.frame}>
        <nav className={classes.rail} aria-label="Main">
          <Link to="/" className={classes.brand} aria-label="Signalbox, overview">
            <img src="/favicon.svg" alt="" width={22} height={22} />
            <span>Signalbox</span>
          </Link>
          <ul className={classes.entries}>
            {navEntries.map((entry) => (
              <li key={entry.to}>
                <Link
                  to={entry.to}
                  className={classes.entry}
                  aria-current={isCurrent(entry, path) ? "page" : undefined}
                  data-current={isCurrent(entry, path)}
                  title={entry.label}
                  activeOptions={{ exact: true }}
                >
                  <Icon name={entry.icon} size={20} />
                  <span>{entry.label}</span>
                </Link>
              </li>
            ))}
          </ul>
          <div className={classes.foot}>
            <UserMenu />
            <button type="button" className={classes.footButton} onClick={openHelp}>
              <Icon name="help" size={18} />
              <span>Keys</span>
            </button>
            <ThemeSwitch />
            {status.data && (
              <span className={classes.version}>
                {status.data.demo ? "Demo, " : ""}
                {status.data.version}
              </span>
            )}
          </div>
        </nav>
        <div className={classes.body}>
          <div className={classes.top}>
            <Link to="/" className={classes.topBrand} aria-label="Signalbox, overview">
              <img src="/favicon.svg" alt="" width={22} height={22} />
            </Link>
            <div className={classes.topTheme}>
              <ThemeSwitch compact />
              <UserMenu compact />
            </div>
            <TenantSwitch status={status.data} />
            <TimeRangeControl />
          </div>
          <main id="main" className={classes.main} tabIndex={-1}>
            <TogetherNote />
            <Problems status={status.data} unreachable={status.error} />
            <Outlet />
          </main>
        </div>
      </div>
      <KeyHelp opened={help} onClose={() => setHelp(false)} />
    </TimeRangeProvider>
  );
}
