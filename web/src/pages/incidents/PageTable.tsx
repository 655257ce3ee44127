import { Button } from "@mantine/core";
import { Link } from "@tanstack/react-router";
import { useAck } from "~/api/mutations";
import type { Incident, IncidentPage } from "~/api/types";
import { may, useMe } from "~/auth/me";
import { type Column, DataTable } from "~/components/DataTable";
import { ErrorNote } from "~/components/ErrorNote";
import { Shown } from "~/components/Shown";
import { StateMark } from "~/components/StateMark";
import type { Who } from "~/components/useWho";
import { When } from "~/components/When";
import { plural } from "~/format/number";
import { severityTone } from "~/pages/alerts/severity";

/** So many rows are shown; the rest is on the page of pages. */
const most = 50;

function columns(who: Who): Column<IncidentPage>[] {
  return [
    {
      key: "title",
      head: "Page",
      full: true,
      cell: (one) => (
        <>
          <Link to="/alerts" search={{ open: one.id }} data-row>
            <Shown text={one.title} />
          </Link>
          <div className="dim small">
            <Shown text={one.why} />
          </div>
        </>
      ),
    },
    { key: "time", head: "When", cell: (one) => <When at={one.time} /> },
    {
      key: "state",
      head: "State",
      cell: (one) =>
        one.ended ? (
          <StateMark tone="ok" word="Ended" />
        ) : (
          <StateMark tone={severityTone(one.severity)} word={`Firing, ${one.severity}`} />
        ),
    },
    {
      key: "acked",
      head: "Acknowledged",
      cell: (one) =>
        one.acked_by ? (
          <>
            {one.acked_by}
            {one.acked_at && (
              <>
                , <When at={one.acked_at} />
              </>
            )}
          </>
        ) : one.ended ? (
          <span className="dim">nobody</span>
        ) : (
          <Acknowledge page={one} who={who} />
        ),
    },
    { key: "alerts", head: "Alerts", numeric: true, cell: (one) => one.alerts },
    {
      key: "names",
      head: "By name",
      cell: (one) => <span className="small">{one.alert_names.join(", ") || "–"}</span>,
    },
  ];
}

/** Acknowledges a page, so that nobody else is paged for it; says who may not that nobody has. */
function Acknowledge({ page, who: { name } }: { page: IncidentPage; who: Who }) {
  const me = useMe();
  const ack = useAck();
  if (!may(me, "pages.ack")) return <span className="dim">nobody</span>;
  if (!name.trim()) return <span className="dim">nobody; give your name above to do it</span>;
  return (
    <>
      <Button loading={ack.isPending} onClick={() => ack.mutate({ id: page.id, by: name.trim() })}>
        Acknowledge as {name.trim()}
      </Button>
      {ack.error && <ErrorNote what="the acknowledgement" error={ack.error} />}
    </>
  );
}

/** The pages of an incident, each with why it belongs there. */
export function PageTable({ incident: { pages }, who }: { incident: Incident; who: Who }) {
  return (
    <section className="panel stack tight">
      <h2>Pages</h2>
      {pages.count === 0 ? (
        <p className="dim">None: it was opened by hand.</p>
      ) : (
        <>
          <p className="small dim">
            {plural(pages.count, "page")} with {plural(pages.alerts, "alert")}, {pages.firing} still firing.
          </p>
          <DataTable
            label="Pages of this incident"
            rows={pages.list.slice(0, most)}
            columns={columns(who)}
            rowKey={(one) => one.id}
          />
          {pages.count > most && <p className="dim">The first {most}, the oldest first.</p>}
        </>
      )}
    </section>
  );
}
