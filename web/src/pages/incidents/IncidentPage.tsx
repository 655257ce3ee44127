import { Button } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { Link, useParams, useSearch } from "@tanstack/react-router";
import { useState } from "react";
import { incidentPath, incidentQuery } from "~/api/incidents";
import type { Incident, IncidentDetail } from "~/api/types";
import { may, useMe } from "~/auth/me";
import { Answer } from "~/components/Answer";
import { CopyMenu } from "~/components/CopyMenu";
import { asCurl } from "~/components/clipboard";
import { PageHead } from "~/components/PageHead";
import { Shown } from "~/components/Shown";
import { TabBar } from "~/components/TabBar";
import { useWho } from "~/components/useWho";
import { RunbookLinks } from "~/pages/alerts/RunbookLinks";
import { useTimeRange } from "~/time/useTimeRange";
import { Act } from "./Act";
import { ActionItems } from "./ActionItems";
import { EditForm } from "./EditForm";
import classes from "./Incidents.module.css";
import { incidentAnswer, incidentTone, roles } from "./incidents";
import { PageTable } from "./PageTable";
import { Postmortem } from "./Postmortem";
import { Similar } from "./Similar";
import { TimeFacts } from "./TimeFacts";
import { Timeline } from "./Timeline";
import { useNow } from "./useNow";

/** What happened, who does what, what is next? */
export function IncidentPage() {
  const { id = "" } = useParams({ strict: false });
  const query = useQuery(incidentQuery(id));
  const { zone } = useTimeRange();
  const now = useNow();
  const incident = query.data?.incident;
  return (
    <>
      <PageHead
        title={incident ? incident.title : "Incident"}
        answer={
          incident
            ? incidentAnswer(incident, zone, now)
            : query.error
              ? "It is not known what happened."
              : "Reading the incident"
        }
        tone={incident && incidentTone(incident)}
        actions={
          <CopyMenu
            items={[
              { label: "Copy as curl", text: () => asCurl(incidentPath(id)) },
              { label: "Copy as command", text: () => `signalbox incident show ${id}` },
            ]}
          />
        }
      >
        <Link to="/incidents">All incidents</Link> · <code>{id}</code>
      </PageHead>
      <Answer query={query} what="the incident" height={320}>
        {(detail) => <Body key={id} detail={detail} />}
      </Answer>
    </>
  );
}

function Body({ detail: { incident, similar } }: { detail: IncidentDetail }) {
  const { tab } = useSearch({ strict: false });
  const me = useMe();
  // One name for all that is done here.
  const who = useWho();
  const [editing, setEditing] = useState(false);
  const change = may(me, "incidents.write") && incident.status !== "merged";
  return (
    <div className="stack">
      <About incident={incident} />
      {change && <Act incident={incident} who={who} />}
      {change &&
        (editing ? (
          <EditForm incident={incident} who={who} onClose={() => setEditing(false)} />
        ) : (
          <div>
            <Button variant="default" onClick={() => setEditing(true)}>
              Change severity, roles, services, start
            </Button>
          </div>
        ))}
      <TimeFacts incident={incident} />
      <TabBar
        open={tab}
        tabs={[
          {
            key: "timeline",
            label: "What happened",
            body: (
              <div className="stack">
                <Timeline incident={incident} who={who} able={change} />
                <PageTable incident={incident} who={who} />
                <Similar similar={similar} />
              </div>
            ),
          },
          {
            key: "actions",
            label: `Action items ${incident.actions.length}`,
            body: <ActionItems incident={incident} who={who} able={change} />,
          },
          {
            key: "postmortem",
            label: "Postmortem",
            body: <Postmortem incident={incident} who={who} able={change} />,
          },
        ]}
      />
    </div>
  );
}

/** Who does what in it, what it is about, where it comes from. */
function About({ incident }: { incident: Incident }) {
  const { origin, services } = incident;
  const alerts = [...new Set(incident.pages.list.flatMap((page) => page.alert_names))].slice(0, 10);
  return (
    <section className="panel stack tight" aria-label="About it">
      {incident.summary && (
        <p className={classes.text}>
          <Shown text={incident.summary} />
        </p>
      )}
      <dl className={classes.roles}>
        {roles.map(({ key, word }) => (
          <div key={key}>
            <dt>{word}</dt>
            <dd>{incident.roles[key] || <span className="dim">nobody</span>}</dd>
          </div>
        ))}
        <div>
          <dt>Services</dt>
          <dd>
            {services.length > 0
              ? services.map((name, at) => (
                  <span key={name}>
                    {at > 0 && ", "}
                    <Link to="/services/$name" params={{ name }}>
                      {name}
                    </Link>
                  </span>
                ))
              : "none named"}
          </dd>
        </div>
        {incident.environment && <Word name="Environment" value={incident.environment} />}
        {incident.region && <Word name="Region" value={incident.region} />}
        <Word name="Opened by" value={origin.by === "signalbox" ? "a page" : origin.by} />
      </dl>
      <p className={`row small ${classes.links}`}>
        {origin.merged_into && <Other id={origin.merged_into}>It is part of {origin.merged_into}</Other>}
        {origin.split_from && <Other id={origin.split_from}>It was split off {origin.split_from}</Other>}
        {origin.links
          ?.filter(({ href }) => /^https?:\/\//i.test(href))
          .map(({ href, text }) => (
            <a key={href} href={href} rel="noreferrer">
              {text || href}
            </a>
          ))}
        {alerts.map((name) => (
          <RunbookLinks key={name} alert={name} />
        ))}
      </p>
    </section>
  );
}

function Word({ name, value }: { name: string; value: string }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{value}</dd>
    </div>
  );
}

function Other({ id, children }: { id: string; children: string | string[] }) {
  return (
    <Link to="/incidents/$id" params={{ id }}>
      {children}
    </Link>
  );
}
