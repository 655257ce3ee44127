import { Link } from "@tanstack/react-router";
import { formatFigure, plural, type Unit } from "~/format/number";
import { formatClock } from "~/format/time";
import { useTimeRange } from "~/time/useTimeRange";
import classes from "./Chart.module.css";
import type { ExemplarPoint } from "./model";

/** The diamonds of a chart as links, for keyboards and screen readers. */
export function ExemplarList({ points, unit }: { points: readonly ExemplarPoint[]; unit: Unit }) {
  const { zone } = useTimeRange();
  return (
    <details className={classes.details}>
      <summary>{plural(points.length, "example trace")}</summary>
      <ul className={classes.points}>
        {points.slice(0, 20).map((point) => (
          <li key={point.traceId}>
            <Link to="/traces/$id" params={{ id: point.traceId }}>
              {formatFigure(point.value, unit)} at {formatClock(point.time * 1000, zone)}
            </Link>
          </li>
        ))}
      </ul>
    </details>
  );
}
