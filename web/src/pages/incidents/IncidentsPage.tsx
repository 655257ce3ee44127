import { Button } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { Link, useSearch } from "@tanstack/react-router";
import { useState } from "react";
import { buildUrl } from "~/api/client";
import {
  type IncidentFilter,
  incidentsQuery,
  listPath,
  liveIncidentsQuery,
  overdueQuery,
} from "~/api/incidents";
import type { IncidentList } from "~/api/types";
import { may, useMe } from "~/auth/me";
import { Answer } from "~/components/Answer";
import { CopyMenu } from "~/components/CopyMenu";
import { asCurl } from "~/components/clipboard";
import { EmptyNote } from "~/components/EmptyNote";
import { PageHead } from "~/components/PageHead";
import type { Tone } from "~/components/StateMark";
import { plural } from "~/format/number";
import { useTimeRange } from "~/time/useTimeRange";
import { FigureTable } from "./FigureTable";
import { FilterForm } from "./FilterForm";
import { IncidentTable } from "./IncidentTable";
import { incidentTone, listAnswer, oneOf, severities, statusWord } from "./incidents";
import { OpenForm } from "./OpenForm";
import { Overdue } from "./Overdue";
import { useNow } from "./useNow";

const command = 'signalbox incident open "Checkout is slow" --service checkout --severity P2 --by ada';

function useFilter(): IncidentFilter {
  const search = useSearch({ strict: false });
  return {
    status: oneOf(Object.keys(statusWord) as (keyof typeof statusWord)[], search.status),
    severity: oneOf(severities, search.severity),
    service: search.service,
    q: search.q,
  };
}

/** Is something going on, and who has it? */
export function IncidentsPage() {
  const me = useMe();
  const { zone } = useTimeRange();
  const now = useNow();
  const filter = useFilter();
  const all = useQuery(liveIncidentsQuery({}));
  const overdue = useQuery(overdueQuery);
  const [opening, setOpening] = useState(false);
  const late = overdue.data?.overdue.length ?? 0;
  const answer = all.data
    ? [
        listAnswer(all.data, zone, now),
        late > 0 ? `${plural(late, "thing")} to write or do ${late === 1 ? "is" : "are"} overdue.` : "",
      ]
        .filter(Boolean)
        .join(" ")
    : all.error
      ? "It is not known whether something goes on."
      : "Reading the incidents";
  const tones = all.data?.map(incidentTone) ?? [];
  const worst: Tone = tones.includes("danger") ? "danger" : tones.length > 0 || late > 0 ? "caution" : "ok";
  return (
    <>
      <PageHead
        title="Incidents"
        answer={answer}
        tone={all.data ? worst : undefined}
        actions={
          <>
            {may(me, "incidents.write") && !opening && (
              <Button onClick={() => setOpening(true)}>Open an incident</Button>
            )}
            <CopyMenu
              items={[
                { label: "Copy as curl", text: () => asCurl(buildUrl(listPath, { ...filter })) },
                { label: "Copy as command", text: () => "signalbox incident list" },
              ]}
            />
          </>
        }
      >
        A page that wakes somebody opens one; pages that belong to it join.{" "}
        <Link to="/alerts">Alerts and pages</Link> · <Link to="/oncall">Who is on call</Link>
      </PageHead>
      <div className="stack">
        {opening && <OpenForm onClose={() => setOpening(false)} />}
        <section className="panel stack tight" aria-label="Incidents">
          <FilterForm key={JSON.stringify(filter)} filter={filter} />
          {filter.status ? <Listed filter={filter} /> : <Both filter={filter} />}
        </section>
        <section className="panel stack tight">
          <h2>Overdue</h2>
          <Overdue query={overdue} />
        </section>
        <FigureTable />
      </div>
    </>
  );
}

function isNarrowed({ severity, service, q }: IncidentFilter): boolean {
  return Boolean(severity || service || q);
}

/** What goes on first, then what is over. */
function Both({ filter }: { filter: IncidentFilter }) {
  const { severity, service, q } = filter;
  const live = useQuery(liveIncidentsQuery({ severity, service, q }));
  return (
    <>
      <h2>Going on</h2>
      <Answer query={live} what="the incidents that go on" height={80}>
        {(rows) =>
          rows.length > 0 ? (
            <IncidentTable label="Incidents that go on" rows={rows} />
          ) : (
            <p className="dim">{isNarrowed(filter) ? "None that goes on fits the filter." : "None."}</p>
          )
        }
      </Answer>
      <h2>Over</h2>
      <Listed filter={{ ...filter, status: "resolved" }} />
    </>
  );
}

/** The incidents of one state, page by page. */
function Listed({ filter }: { filter: IncidentFilter }) {
  const { before } = useSearch({ strict: false });
  const query = useQuery(incidentsQuery(filter, before));
  return (
    <Answer query={query} what="the incidents" height={160}>
      {(list) => (
        <>
          {list.incidents.length > 0 ? (
            <IncidentTable
              label={`Incidents, ${statusWord[filter.status ?? "resolved"].toLowerCase()}`}
              rows={list.incidents}
            />
          ) : isNarrowed(filter) || before || list.next ? (
            <p className="dim">{list.next ? "None on this page fits." : "None fits the filter."}</p>
          ) : (
            <EmptyNote
              title={`No incident is ${statusWord[filter.status ?? "resolved"].toLowerCase()}.`}
              command={command}
            >
              Pages of severity critical, page, p0 and p1 open incidents by themselves; people open them here
              or on the command line.
            </EmptyNote>
          )}
          <Steps list={list} before={before} />
        </>
      )}
    </Answer>
  );
}

function Steps({ list, before }: { list: IncidentList; before: string | undefined }) {
  if (!before && !list.next) return null;
  return (
    <nav className="row" aria-label="Pages of the list">
      {before && (
        <Link to="/incidents" search={(old) => ({ ...old, before: undefined })}>
          Newest
        </Link>
      )}
      {list.next && (
        <Link to="/incidents" search={(old) => ({ ...old, before: list.next })}>
          Older
        </Link>
      )}
    </nav>
  );
}
