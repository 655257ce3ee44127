import { useComputedColorScheme } from "@mantine/core";
import { useMemo } from "react";
import { formatFigure } from "~/format/number";
import classes from "./Chart.module.css";
import type { ChartData } from "./model";
import { inkOf, readInk } from "./palette";

/** What the colours of bars stand for, with the sum of each, in one line. */
export function BarKeys({ data }: { data: ChartData }) {
  const scheme = useComputedColorScheme("light");
  const ink = useMemo(() => readInk(scheme), [scheme]);
  return data.series.map((one, index) => (
    <span key={one.label} className="nowrap">
      <span className={classes.key} style={{ borderColor: inkOf(ink, index, one.tone) }} />
      {one.label}{" "}
      {formatFigure(
        one.values.reduce<number>((sum, value) => sum + (value ?? 0), 0),
        "count",
      )}
    </span>
  ));
}
