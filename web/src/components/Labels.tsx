import classes from "./Labels.module.css";

/** A label set; the alert's own name is left to the title. */
export function Labels({
  labels,
  hide = ["alertname"],
}: {
  labels: Record<string, string>;
  hide?: readonly string[];
}) {
  const entries = Object.entries(labels).filter(([name]) => !hide.includes(name));
  return (
    <ul className={classes.labels}>
      {entries.map(([name, value]) => (
        <li key={name} className={classes.label}>
          <span className={classes.name}>{name}</span> {value}
        </li>
      ))}
    </ul>
  );
}
