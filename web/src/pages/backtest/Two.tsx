import type { ReactNode } from "react";
import classes from "./Backtest.module.css";

/** A's figure above B's; one figure where nothing is compared or both say the same. */
export function Two({ a, b, compared }: { a: ReactNode; b: ReactNode; compared: boolean }) {
  if (!compared) return <>{a}</>;
  return (
    <span className={classes.two}>
      <span>
        <b>A</b>
        {a}
      </span>
      <span>
        <b>B</b>
        {b}
      </span>
    </span>
  );
}
