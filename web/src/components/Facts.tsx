import type { ReactNode } from "react";
import classes from "./Facts.module.css";

export interface Fact {
  name: string;
  value: ReactNode;
  note?: ReactNode;
}

/** A few figures with their names, the figure large. */
export function Facts({ facts }: { facts: readonly Fact[] }) {
  return (
    <dl className={classes.facts}>
      {facts.map((fact) => (
        <div key={fact.name} className={classes.fact}>
          <dt>{fact.name}</dt>
          <dd>{fact.value}</dd>
          {fact.note && <dd className={classes.note}>{fact.note}</dd>}
        </div>
      ))}
    </dl>
  );
}
