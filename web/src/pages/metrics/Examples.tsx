import classes from "./Examples.module.css";

const examples: readonly [string, string][] = [
  [
    "Requests per second by service",
    'sum by (service) (rate(signalbox_span_duration_seconds_count{kind=~"server|consumer"}[5m]))',
  ],
  [
    "Error ratio by service",
    'sum by (service) (rate(signalbox_span_duration_seconds_count{kind=~"server|consumer", status="error"}[5m])) / sum by (service) (rate(signalbox_span_duration_seconds_count{kind=~"server|consumer"}[5m]))',
  ],
  [
    "95th percentile by service",
    'histogram_quantile(0.95, sum by (le, service) (rate(signalbox_span_duration_seconds_bucket{kind=~"server|consumer"}[5m])))',
  ],
  ["Burn rate of every SLO over 1 h", 'signalbox_slo_burn_rate{window="1h"}'],
  ["Budget left of every SLO", "signalbox_slo_budget_left_ratio"],
];

/** Where to begin when there is no query yet. */
export function Examples({ onPick }: { onPick: (expr: string) => void }) {
  return (
    <section className="panel stack tight">
      <h2>Begin with one of these</h2>
      <ul className={classes.list}>
        {examples.map(([title, expr]) => (
          <li key={title}>
            <button type="button" className={classes.item} onClick={() => onPick(expr)} data-row>
              <span>{title}</span>
              <code>{expr}</code>
            </button>
          </li>
        ))}
      </ul>
    </section>
  );
}
