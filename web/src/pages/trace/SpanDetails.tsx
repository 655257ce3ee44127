import { ActionIcon } from "@mantine/core";
import { Link } from "@tanstack/react-router";
import type { Span } from "~/api/types";
import { CopyButton } from "~/components/CopyButton";
import { Icon } from "~/components/Icon";
import { isMasked, Shown } from "~/components/Shown";
import { StateMark } from "~/components/StateMark";
import { buildFilter, term } from "~/filter/filter";
import { formatDuration } from "~/format/duration";
import { formatClockMillis } from "~/format/time";
import { valueText } from "~/pages/logs/fields";
import { useTimeRange } from "~/time/useTimeRange";
import type { Row } from "./layout";
import classes from "./SpanDetails.module.css";

/** Everything a span says, and the ways on from it. */
export function SpanDetails({ row, onClose }: { row: Row; onClose: () => void }) {
  const { span } = row;
  const { zone } = useTimeRange();
  const { resource } = span;
  return (
    <section className={classes.details} aria-label={`Span ${span.name}`}>
      <div className={classes.head}>
        <h2>
          {span.service} <span className="dim">{span.name}</span>
        </h2>
        <ActionIcon variant="subtle" color="gray" aria-label="Close the span" onClick={onClose}>
          <Icon name="close" />
        </ActionIcon>
      </div>
      {span.status === "error" && (
        <p>
          <StateMark tone="danger" word="Error" /> <Shown text={span.status_message ?? ""} />
        </p>
      )}
      {row.orphan && <p className="dim small">Its parent {span.parent_span_id} was not received.</p>}
      <p className="small">
        {formatDuration(row.duration / 1000)}, of which {formatDuration(row.self / 1000)} in itself; begins{" "}
        {formatDuration(row.offset / 1000)} into the trace, at{" "}
        {formatClockMillis(Date.parse(span.start), zone)}.{span.kind && ` Kind ${span.kind}.`}
      </p>
      <div className="row small">
        <Link to="/logs" search={{ q: buildFilter({ trace_id: span.trace_id, span_id: span.span_id }) }}>
          Logs of this span
        </Link>
        <Link to="/services/$name" params={{ name: span.service }}>
          Service {span.service}
        </Link>
        <Link to="/traces" search={{ q: buildFilter({ service: span.service, name: span.name }) }}>
          Others like it
        </Link>
        <span>
          Copy as JSON <CopyButton text={JSON.stringify(span, null, 2)} label="Copy as JSON" />
        </span>
      </div>
      <Attributes title="Attributes" attributes={span.attributes ?? {}} link />
      <Events span={span} />
      {span.links && span.links.length > 0 && (
        <div>
          <h3>Links</h3>
          <ul className={classes.plain}>
            {span.links.map((link) => (
              <li key={`${link.trace_id}${link.span_id}`}>
                <Link to="/traces/$id" params={{ id: link.trace_id }} search={{ span: link.span_id }}>
                  Trace {link.trace_id.slice(0, 12)}…
                </Link>
              </li>
            ))}
          </ul>
        </div>
      )}
      <Attributes
        title="Resource"
        attributes={{
          service: resource.service,
          namespace: resource.namespace,
          env: resource.env,
          region: resource.region,
          version: resource.version,
          instance: resource.instance,
          ...resource.attributes,
        }}
        link
      />
    </section>
  );
}

function Attributes({
  title,
  attributes,
  link,
}: {
  title: string;
  attributes: Record<string, unknown>;
  link?: boolean;
}) {
  const entries = Object.entries(attributes).filter(([, value]) => valueText(value) !== "");
  if (entries.length === 0) return null;
  return (
    <div>
      {title && <h3>{title}</h3>}
      <dl className={classes.fields}>
        {entries.map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>
              {link && !isMasked(valueText(value)) ? (
                <Link
                  to="/traces"
                  search={{ q: term(name, valueText(value)) }}
                  title="Traces with this value"
                >
                  {valueText(value)}
                </Link>
              ) : (
                <Shown text={valueText(value)} />
              )}
            </dd>
          </div>
        ))}
      </dl>
    </div>
  );
}

function Events({ span }: { span: Span }) {
  if (!span.events || span.events.length === 0) return null;
  const start = Number(span.start_unix_nano);
  return (
    <div>
      <h3>Events</h3>
      {span.events.map((event, at) => (
        <div key={at} className={classes.event}>
          <p>
            <strong>{event.name}</strong>{" "}
            <span className="dim small">
              at +{formatDuration(Math.max(0, (Number(event.time_unix_nano) - start) / 1e9))}
            </span>
          </p>
          <Attributes title="" attributes={event.attributes ?? {}} />
        </div>
      ))}
    </div>
  );
}
