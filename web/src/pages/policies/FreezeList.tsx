import type { PolicyView } from "~/api/types";
import { type Column, DataTable } from "~/components/DataTable";
import { EmptyNote } from "~/components/EmptyNote";
import { StateMark } from "~/components/StateMark";
import { When } from "~/components/When";
import { formatDuration } from "~/format/duration";
import { useTimeRange } from "~/time/useTimeRange";
import { type FreezeWindow, freezeWindows } from "./freeze";

const example = `# policies/market.yaml, named under policy_files
policies:
  - name: market
    freezes:
      - name: weekend
        reason: nobody watches
        weekly: {from: fri 16:00, to: mon 08:00}
        time_zone: Europe/Zurich`;

/** The freezes that hold and the next ones, each with its reason. */
export function FreezeList({ view }: { view: PolicyView }) {
  const { now } = useTimeRange();
  const windows = freezeWindows(view.policies, now);
  if (windows.length === 0)
    return (
      <EmptyNote title="No freeze is in the calendar." command={example}>
        A freeze holds every deployment of a service for a time, once or every week, and says why.
      </EmptyNote>
    );
  const holds = (one: FreezeWindow) => one.from <= now;
  const columns: Column<FreezeWindow>[] = [
    {
      key: "name",
      head: "Freeze",
      full: true,
      cell: (one) => (
        <>
          <strong>{one.freeze.name}</strong>: {one.freeze.reason}
        </>
      ),
    },
    {
      key: "state",
      head: "State",
      cell: (one) =>
        holds(one) ? (
          <StateMark tone="danger" word="Holds now" />
        ) : (
          <span>in {formatDuration(Math.round((one.from - now) / 1000))}</span>
        ),
    },
    { key: "from", head: "From", cell: (one) => <When at={one.from} /> },
    { key: "to", head: "Until", cell: (one) => <When at={one.to} /> },
    {
      key: "rule",
      head: "Recurs",
      cell: (one) =>
        one.freeze.weekly
          ? `every week, ${one.freeze.weekly.from} to ${one.freeze.weekly.to}, ${one.freeze.time_zone || "UTC"}`
          : `once, ${one.freeze.time_zone || "UTC"}`,
    },
    {
      key: "effect",
      head: "Effect",
      cell: (one) => (one.freeze.effect === "block" ? "blocks everything" : "critical fixes pass"),
    },
    { key: "policy", head: "Policy", cell: (one) => one.policy },
  ];
  return (
    <DataTable
      label="Freezes"
      rows={windows}
      columns={columns}
      rowKey={(one) => `${one.policy}${one.freeze.name}${one.from}`}
    />
  );
}
