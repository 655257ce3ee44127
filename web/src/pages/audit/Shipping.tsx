import type { UseQueryResult } from "@tanstack/react-query";
import type { AuditTarget, AuditTargets } from "~/api/types";
import { Answer } from "~/components/Answer";
import { type Column, DataTable } from "~/components/DataTable";
import { EmptyNote } from "~/components/EmptyNote";
import { StateMark } from "~/components/StateMark";
import { When } from "~/components/When";
import { formatDuration } from "~/format/duration";
import { formatCount } from "~/format/number";
import { targetState } from "./shipping";

const columns: Column<AuditTarget>[] = [
  {
    key: "name",
    head: "Receiver",
    full: true,
    cell: (one) => (
      <>
        {one.name}
        <div className="dim small" style={{ overflowWrap: "anywhere" }}>
          {one.kind} to {one.address}
        </div>
      </>
    ),
  },
  {
    key: "state",
    head: "State",
    full: true,
    cell: (one) => (
      <>
        <StateMark {...targetState(one)} />
        {one.restarted && (
          <div className="small">{one.restarted}. It is sent everything again; compare both logs.</div>
        )}
        {one.last_error && (
          <div className="small" style={{ overflowWrap: "anywhere" }}>
            {one.last_error}
            {one.retry_at && (
              <span className="dim">
                {" "}
                Next try at <When at={one.retry_at} />.
              </span>
            )}
          </div>
        )}
      </>
    ),
  },
  { key: "shipped", head: "Has entry", numeric: true, cell: (one) => formatCount(one.shipped) },
  { key: "waiting", head: "Waiting", numeric: true, cell: (one) => formatCount(one.waiting) },
  {
    key: "lag",
    head: "Behind by",
    numeric: true,
    cell: (one) => (one.lag_seconds > 0 ? formatDuration(one.lag_seconds) : "–"),
  },
  {
    key: "last",
    head: "Last got through",
    cell: (one) =>
      one.last_success ? (
        <When at={one.last_success} ago />
      ) : (
        <span className="dim">not since the start</span>
      ),
  },
  {
    key: "failed",
    head: "Since the start",
    full: true,
    cell: (one) =>
      [
        `${formatCount(one.sent)} sent`,
        one.failures > 0 ? `${formatCount(one.failures)} tries failed` : "",
        one.refused > 0 ? `${formatCount(one.refused)} refused by the receiver` : "",
        one.missed > 0 ? `${formatCount(one.missed)} gone before their turn` : "",
      ]
        .filter(Boolean)
        .join(", "),
  },
];

const example = `audit:
  ship:
    - name: siem
      syslog: {address: tls://siem.example.com:6514}`;

/** Does the log get to where nobody with rights on this machine can write it anew? */
export function Shipping({ query }: { query: UseQueryResult<AuditTargets> }) {
  return (
    <section className="panel stack tight" aria-label="Shipping">
      <h2>Shipped to</h2>
      <Answer query={query} what="where the audit log is shipped to" height={64}>
        {({ targets }) =>
          targets.length > 0 ? (
            <DataTable label="Receivers" rows={targets} columns={columns} rowKey={(one) => one.name} />
          ) : (
            <EmptyNote title="The audit log is shipped nowhere." command={example}>
              Whoever has all rights on this machine could write it anew; what is elsewhere they could not.
            </EmptyNote>
          )
        }
      </Answer>
    </section>
  );
}
