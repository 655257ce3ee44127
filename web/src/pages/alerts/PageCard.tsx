import { Button, TextInput } from "@mantine/core";
import { Link } from "@tanstack/react-router";
import { useState } from "react";
import { useAck } from "~/api/mutations";
import type { Page } from "~/api/types";
import { ErrorNote } from "~/components/ErrorNote";
import { Labels } from "~/components/Labels";
import { StateMark } from "~/components/StateMark";
import { TamperedMark } from "~/components/TamperedMark";
import { useWho } from "~/components/useWho";
import { When } from "~/components/When";
import { PageLadder } from "~/escalation/PageLadder";
import { buildFilter } from "~/filter/filter";
import classes from "./PageCard.module.css";
import { isUrgent, severityTone, severityWord } from "./severity";

interface Props {
  page: Page;
  open: boolean;
  /** Whether whom it went to is shown with it; it is not where that stands beside it. */
  ladder?: boolean;
}

/** One page: what, who was told over which channel, who answered. */
export function PageCard({ page, open, ladder = true }: Props) {
  const [shown, setShown] = useState(open);
  const firing = page.status === "firing";
  const failed = page.deliveries.filter((delivery) => delivery.status === "failed");
  return (
    <article className={`panel ${classes.card}`} aria-label={page.title}>
      <div className={classes.head}>
        {firing ? (
          <StateMark tone={severityTone(page.severity)} word={`${severityWord(page.severity)}, firing`} />
        ) : (
          <StateMark tone="ok" word="Resolved" />
        )}
        <button
          type="button"
          className={classes.title}
          aria-expanded={shown}
          onClick={() => setShown(!shown)}
          data-row
        >
          {page.title}
        </button>
        <span className="dim small nowrap">
          <When at={page.time} ago />
        </span>
      </div>
      <p className="small">
        {whoKnows(page)}
        {failed.length > 0 && (
          <>
            {" "}
            <StateMark
              tone="caution"
              word={`${failed.length} of ${page.deliveries.length} deliveries failed`}
            />
          </>
        )}
      </p>
      <TamperedMark what="Its acknowledgement" text={page.tampered} />
      {firing && !page.acked_by && <AckForm page={page} />}
      {shown && <PageDetails page={page} ladder={ladder} />}
    </article>
  );
}

function whoKnows(page: Page) {
  return (
    <>
      Sent to {page.receiver}.{" "}
      {page.acked_by ? (
        <>
          Acknowledged by {page.acked_by}
          {page.acked_at && (
            <>
              {" "}
              at <When at={page.acked_at} />
            </>
          )}
          .
        </>
      ) : page.status === "firing" ? (
        "Nobody has acknowledged it yet."
      ) : (
        "It resolved before anybody acknowledged it."
      )}
      {page.resolved_at && (
        <>
          {" "}
          Resolved at <When at={page.resolved_at} />.
        </>
      )}
    </>
  );
}

function AckForm({ page }: { page: Page }) {
  const { name: who, claim, proved } = useWho();
  // Who has said once who they are is not asked again on every card.
  const [wanted, setWanted] = useState(() => !who.trim());
  const asked = wanted && !proved;
  const ack = useAck();
  return (
    <form
      className="row"
      onSubmit={(event) => {
        event.preventDefault();
        if (who.trim()) ack.mutate({ id: page.id, by: who.trim() });
      }}
    >
      {asked && (
        <TextInput
          size="xs"
          aria-label="Your name"
          placeholder="Your name"
          value={who}
          required
          onChange={(event) => claim(event.currentTarget.value)}
        />
      )}
      <Button type="submit" variant={isUrgent(page.severity) ? "filled" : "default"} loading={ack.isPending}>
        {asked ? "Acknowledge" : `Acknowledge as ${who}`}
      </Button>
      {!asked && !proved && (
        <button type="button" className="linkish small" onClick={() => setWanted(true)}>
          Not you?
        </button>
      )}
      {ack.error && <ErrorNote what="the acknowledgement" error={ack.error} />}
    </form>
  );
}

function PageDetails({ page, ladder }: { page: Page; ladder: boolean }) {
  const [alert] = page.alerts;
  const name = alert?.labels.alertname;
  const slo = alert?.labels.signalbox_slo ?? alert?.labels.slo;
  return (
    <div className={classes.details}>
      {page.summary && <p>{page.summary}</p>}
      <div className="row small">
        {name && (
          <Link to="/alerts/$alert" params={{ alert: alert.fingerprint || name }}>
            Why was I paged?
          </Link>
        )}
        {slo && (
          <Link to="/slos/$name" params={{ name: slo }}>
            What spent the budget
          </Link>
        )}
        {page.service && (
          <>
            <Link to="/traces" search={{ q: `${buildFilter({ service: page.service })} status:error` }}>
              Traces with errors
            </Link>
            <Link to="/logs" search={{ q: `${buildFilter({ service: page.service })} level:error` }}>
              Error logs
            </Link>
            <Link to="/services/$name" params={{ name: page.service }}>
              Service {page.service}
            </Link>
          </>
        )}
        {alert && (
          <Link to="/alerts" search={{ tab: "silences", matchers: JSON.stringify(page.group_labels) }}>
            Silence
          </Link>
        )}
      </div>
      {alert && <Labels labels={alert.labels} />}
      {ladder && (
        <div>
          <h3>Whom it went to</h3>
          <PageLadder page={page} />
        </div>
      )}
      <div>
        <h3>Deliveries</h3>
        <ul className={classes.deliveries}>
          {page.deliveries.map((delivery) => (
            <li key={`${delivery.channel}${delivery.time}${delivery.attempt}`} className="row small">
              <StateMark
                tone={delivery.status === "delivered" ? "ok" : "danger"}
                word={delivery.status === "delivered" ? "Delivered" : "Failed"}
              />
              <span>
                {delivery.channel} at <When at={delivery.time} />
                {delivery.attempt > 1 && `, attempt ${delivery.attempt}`}
                {delivery.error && `: ${delivery.error}`}
              </span>
            </li>
          ))}
        </ul>
      </div>
    </div>
  );
}
