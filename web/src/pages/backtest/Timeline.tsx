import { Link } from "@tanstack/react-router";
import { type KeyboardEvent, type PointerEvent, useMemo } from "react";
import type { BacktestResult } from "~/api/types";
import { Shape } from "~/components/StateMark";
import { formatDateTime, formatWhen } from "~/format/time";
import { useTimeRange } from "~/time/useTimeRange";
import { itemsAt, type Lane, lanes, laneWord, moments } from "./lanes";
import { aroundRange } from "./span";
import classes from "./Timeline.module.css";

interface Props {
  result: BacktestResult;
  /** The moment under the crosshair, Unix ms. */
  at: number | undefined;
  onAt: (at: number) => void;
}

/** Both sides' pages and verdicts over time; one crosshair through all of them. */
export function Timeline({ result, at, onAt }: Props) {
  const from = Date.parse(result.start);
  const to = Date.parse(result.end);
  const groups = useMemo(() => lanes(result), [result]);
  const stops = useMemo(() => moments(groups), [groups]);
  const share = (ms: number) => Math.min(100, Math.max(0, ((ms - from) / (to - from)) * 100));
  const onMove = (event: PointerEvent<HTMLDivElement>) => {
    const box = event.currentTarget.getBoundingClientRect();
    const part = Math.min(1, Math.max(0, (event.clientX - box.left) / Math.max(box.width, 1)));
    onAt(from + part * (to - from));
  };
  const onKey = (event: KeyboardEvent) => {
    const now = at ?? from - 1;
    const keys: Record<string, () => number | undefined> = {
      ArrowRight: () => stops.find((one) => one > now),
      ArrowLeft: () => stops.findLast((one) => one < now),
      Home: () => stops[0],
      End: () => stops.at(-1),
    };
    const next = keys[event.key]?.();
    if (next === undefined) return;
    event.preventDefault();
    onAt(next);
  };
  return (
    <div
      className={classes.timeline}
      role="group"
      tabIndex={0}
      aria-label="Timeline; arrow keys go from event to event"
      onKeyDown={onKey}
    >
      {groups.map((group) => (
        <div key={group[0]?.kind} className={classes.group}>
          {group.map((lane) => (
            <div key={lane.side} className={classes.lane}>
              <div className={classes.name}>
                <span>
                  {result.sets.length > 1 && <b>{lane.side} </b>}
                  {laneWord[lane.kind]}
                </span>
                <span className="dim">{lane.items.length}</span>
              </div>
              <div className={classes.track} onPointerMove={onMove} onPointerDown={onMove}>
                {lane.items.map((item) =>
                  item.to === undefined ? (
                    <span
                      key={`${item.from}${item.words}`}
                      className={classes.point}
                      style={{ left: `${share(item.from)}%` }}
                    >
                      <Shape tone={item.tone} size={14} />
                    </span>
                  ) : (
                    <span
                      key={`${item.from}${item.words}`}
                      className={classes.bar}
                      data-tone={item.tone}
                      style={{ left: `${share(item.from)}%`, width: `${share(item.to) - share(item.from)}%` }}
                    />
                  ),
                )}
                {at !== undefined && <span className={classes.cross} style={{ left: `${share(at)}%` }} />}
              </div>
            </div>
          ))}
        </div>
      ))}
      <Axis from={from} to={to} />
      <Readout groups={groups} at={at} near={(to - from) / 300} compared={result.sets.length > 1} />
    </div>
  );
}

function Axis({ from, to }: { from: number; to: number }) {
  const { zone, now } = useTimeRange();
  return (
    <div className={classes.axis} aria-hidden="true">
      {[0, 0.25, 0.5, 0.75, 1].map((part) => (
        <span key={part}>{formatWhen(from + part * (to - from), zone, now)}</span>
      ))}
    </div>
  );
}

interface ReadoutProps {
  groups: readonly Lane[][];
  at: number | undefined;
  near: number;
  compared: boolean;
}

/** What both sides do under the crosshair, with the way to the evidence. */
function Readout({ groups, at, near, compared }: ReadoutProps) {
  const { zone } = useTimeRange();
  if (at === undefined)
    return (
      <div className={`${classes.readout} dim small`}>
        <p>Point at the timeline, or go from event to event with ← and →.</p>
      </div>
    );
  const found = groups.flatMap((group) =>
    group.map((lane) => ({ lane, items: itemsAt(lane, at, near) })).filter((one) => one.items.length > 0),
  );
  const slos = [...new Set(found.flatMap((one) => one.items.flatMap((item) => item.slos)))].slice(0, 3);
  const first = found.flatMap((one) => one.items).sort((a, b) => a.from - b.from)[0];
  return (
    <div className={`${classes.readout} small`} role="status">
      <p>
        <strong className="nowrap">{formatDateTime(at, zone)}</strong>
        {found.length === 0 && (
          <span className="dim">nothing, {compared ? "with either" : "at this moment"}</span>
        )}
        {found.map(({ lane, items }) => (
          <span key={`${lane.kind}${lane.side}`}>
            {compared && <strong>{lane.side} </strong>}
            {laneWord[lane.kind].toLowerCase()}:{" "}
            {items
              .slice(0, 4)
              .map((item) => item.words)
              .join("; ")}
            {items.length > 4 && ` and ${items.length - 4} more`}
          </span>
        ))}
      </p>
      {first && slos.length > 0 && (
        <p>
          {slos.map((name) => (
            <Link
              key={name}
              to="/slos/$name"
              params={{ name }}
              search={aroundRange(
                new Date(first.from).toISOString(),
                ((first.to ?? first.from) - first.from) / 1000,
              )}
            >
              {name} at that time
            </Link>
          ))}
        </p>
      )}
    </div>
  );
}
