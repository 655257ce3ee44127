import { Button, Select } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { incidentTimelineQuery, useIncidentChange } from "~/api/incidents";
import type { Incident, IncidentEntry, IncidentTimeline } from "~/api/types";
import { Answer } from "~/components/Answer";
import { ErrorNote } from "~/components/ErrorNote";
import { PartialNote } from "~/components/PartialNote";
import { Shown } from "~/components/Shown";
import type { Who } from "~/components/useWho";
import { When } from "~/components/When";
import classes from "./Incidents.module.css";
import { oneOf } from "./incidents";
import { SourceLink, sourceWord } from "./SourceLink";

const kinds = Object.keys(sourceWord) as IncidentEntry["source"]["kind"][];

/** What happened around an incident, the newest first, each with its source. */
export function Timeline({ incident, who, able }: { incident: Incident; who: Who; able: boolean }) {
  const query = useQuery(incidentTimelineQuery(incident.id));
  return (
    <section className="panel stack tight">
      <h2>Timeline</h2>
      <Answer query={query} what="the timeline" height={240}>
        {(timeline) => <Entries timeline={timeline} incident={incident} />}
      </Answer>
      {able && incident.services.length > 0 && <LookAgain incident={incident} who={who} />}
    </section>
  );
}

/** Has metrics and log lines that were unusual when it began looked for once more: after a service or the start was put right. */
function LookAgain({ incident, who }: { incident: Incident; who: Who }) {
  const change = useIncidentChange(incident.id);
  const by = who.name.trim();
  return (
    <div className="row">
      <Button
        variant="default"
        loading={change.isPending}
        disabled={!by}
        onClick={() => change.mutate({ part: "/look", body: { by } })}
      >
        Look again for what was unusual
      </Button>
      <span className="small dim">
        {by
          ? "Compares the metrics and log lines of its services with the day before."
          : "Give your name above to do it."}
      </span>
      {change.error && <ErrorNote what="the search" error={change.error} />}
    </div>
  );
}

function Entries({ timeline, incident }: { timeline: IncidentTimeline; incident: Incident }) {
  const navigate = useNavigate();
  const kind = oneOf(kinds, useSearch({ strict: false }).kind);
  const there = kinds.filter((one) => timeline.entries.some(({ source }) => source.kind === one));
  const rows = timeline.entries.filter(({ source }) => !kind || source.kind === kind).toReversed();
  const updates = new Set(
    incident.notes.filter((note) => note.kind === "update").map((note) => note.time + note.text),
  );
  return (
    <>
      <div className="row between">
        <span className="small dim">
          {rows.length} of {timeline.entries.length}, the newest first.
        </span>
        <Select
          aria-label="Kind of source"
          w={180}
          clearable
          placeholder="Every source"
          value={kind ?? null}
          data={(kind && !there.includes(kind) ? [...there, kind] : there).map((value) => ({
            value,
            label: sourceWord[value],
          }))}
          onChange={(next) =>
            void navigate({ to: ".", search: (old) => ({ ...old, kind: next ?? undefined }) })
          }
        />
      </div>
      {rows.length === 0 ? (
        <p className="dim">{kind ? "Nothing of this kind." : "Nothing has happened yet."}</p>
      ) : (
        <ol className={classes.entries} aria-label="Timeline">
          {rows.map((entry, at) => (
            <Entry
              key={`${entry.time}${entry.source.id}${at}`}
              entry={entry}
              update={updates.has(entry.time + entry.text)}
            />
          ))}
        </ol>
      )}
      <PartialNote messages={(timeline.missing ?? []).map((one) => `Not here: ${one}.`)} />
    </>
  );
}

function Entry({ entry, update }: { entry: IncidentEntry; update: boolean }) {
  return (
    <li className={classes.entry} data-update={update || undefined}>
      <span className="dim">
        <When at={entry.time} />
      </span>
      <span className={`small ${classes.kind}`}>
        {update ? "Update" : <SourceLink source={entry.source} />}
      </span>
      <span className={classes.text}>
        <Shown text={entry.text} />
        {entry.by && <span className="dim"> {entry.by}</span>}
      </span>
    </li>
  );
}
