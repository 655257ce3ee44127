import { useComputedColorScheme } from "@mantine/core";
import { useMemo, useState } from "react";
import { formatFigure, type Unit } from "~/format/number";
import { formatClock, type Zone } from "~/format/time";
import classes from "./Chart.module.css";
import { type ChartData, stats } from "./model";
import { dashOf, inkOf, readInk } from "./palette";

interface Props {
  title: string;
  data: ChartData;
  unit: Unit;
  /** The point under the pointer. */
  cursor: number | null;
  zone: Zone;
}

const first = 12;

/** The series by newest figure, largest first, with minimum, maximum and the figure under the pointer. */
export function Legend({ title, data, unit, cursor, zone }: Props) {
  const [all, setAll] = useState(false);
  const scheme = useComputedColorScheme("light");
  const ink = useMemo(() => readInk(scheme), [scheme]);
  const rows = useMemo(
    () =>
      data.series
        .map((one, index) => ({ one, index, ...stats(one.values) }))
        .sort((a, b) => (b.last ?? b.max ?? -Infinity) - (a.last ?? a.max ?? -Infinity)),
    [data],
  );
  const time = cursor === null ? undefined : data.x[cursor];
  const shown = all ? rows : rows.slice(0, first);
  return (
    <div className={classes.scroll} tabIndex={0} role="group" aria-label={`Legend of ${title}`}>
      <table className={classes.legend}>
        <thead>
          <tr>
            <th scope="col">Series</th>
            <th scope="col">{time === undefined ? "Last" : formatClock(time * 1000, zone)}</th>
            <th scope="col" className={classes.optional}>
              Min
            </th>
            <th scope="col">Max</th>
          </tr>
        </thead>
        <tbody>
          {shown.map(({ one, index, min, max, last }) => (
            <tr key={`${one.label}${index}`}>
              <td>
                <span
                  className={classes.key}
                  data-dashed={!one.tone && dashOf(ink, index).length > 0}
                  style={{ borderColor: inkOf(ink, index, one.tone) }}
                />
                {one.label}
              </td>
              <td>{formatFigure(cursor === null ? last : one.values[cursor], unit)}</td>
              <td className={classes.optional}>{formatFigure(min, unit)}</td>
              <td>{formatFigure(max, unit)}</td>
            </tr>
          ))}
        </tbody>
      </table>
      {rows.length > first && (
        <button type="button" className="linkish small" onClick={() => setAll(!all)}>
          {all ? "Show fewer" : `Show all ${rows.length} series`}
        </button>
      )}
    </div>
  );
}
