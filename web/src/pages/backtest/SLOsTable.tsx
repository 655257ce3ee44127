import { Link } from "@tanstack/react-router";
import type { BacktestResult, BacktestSLO } from "~/api/types";
import { type Column, DataTable } from "~/components/DataTable";
import { formatDuration, formatWindow } from "~/format/duration";
import { formatFigure, formatRatio } from "~/format/number";
import { type Band, bandTone, bandWord } from "~/slo/band";
import classes from "./Backtest.module.css";
import { either, type Pair, pairSLOs } from "./outcome";
import { aroundRange } from "./span";
import { Two } from "./Two";

const bandOf = (name: string) => (name in bandWord ? (name as Band) : "");

function Bands({ one }: { one: BacktestSLO | undefined }) {
  const total = one?.bands.reduce((sum, band) => sum + band.seconds, 0) ?? 0;
  if (!one || total <= 0) return <span className="dim">–</span>;
  const words = one.bands
    .filter((band) => band.seconds > 0)
    .map((band) => `${bandWord[bandOf(band.name)]} ${formatDuration(band.seconds)}`)
    .join(", ");
  const worst = one.bands.findLast((band) => band.seconds > 0);
  return (
    <span className="stack tight" style={{ gap: 2 }} title={words}>
      <span className={classes.bands} role="img" aria-label={words}>
        {one.bands.map((band) => (
          <span
            key={band.name}
            data-tone={bandTone[bandOf(band.name)]}
            style={{ width: `${(band.seconds / total) * 100}%` }}
          />
        ))}
      </span>
      {worst && worst.name !== "normal" && (
        <span className="small nowrap">
          {bandWord[bandOf(worst.name)]} for {formatDuration(worst.seconds)}
        </span>
      )}
    </span>
  );
}

/** Each SLO: its budget, its worst moment, its alerts and its time in each band, with A and with B. */
export function SLOsTable({ result, chosen, onChoose }: Props) {
  const [a, b] = result.sets;
  const compared = b !== undefined;
  const rows = pairSLOs(a?.promises ?? [], b?.promises ?? []);
  const two = (pair: Pair<BacktestSLO>, text: (one: BacktestSLO) => string) => {
    const left = pair.a ? text(pair.a) : "–";
    const right = pair.b ? text(pair.b) : "–";
    return <Two compared={compared && left !== right} a={left} b={right} />;
  };
  const columns: Column<Pair<BacktestSLO>>[] = [
    {
      key: "name",
      head: "SLO",
      full: true,
      cell: (pair) => (
        <button
          type="button"
          className="linkish"
          aria-pressed={either(pair).name === chosen}
          onClick={() => onChoose(either(pair).name)}
          title="Show its budget below"
        >
          {either(pair).display_name}
        </button>
      ),
    },
    {
      key: "objective",
      head: "Objective",
      cell: (pair) => two(pair, (one) => `${formatRatio(one.objective)} over ${formatWindow(one.window)}`),
    },
    {
      key: "end",
      head: "Used at the end",
      numeric: true,
      cell: (pair) => two(pair, (one) => formatFigure(one.used_at_end, "ratio")),
    },
    {
      key: "worst",
      head: "Most used",
      numeric: true,
      cell: (pair) => two(pair, (one) => formatFigure(one.worst_used, "ratio")),
    },
    {
      key: "alerts",
      head: "Alerts",
      numeric: true,
      cell: (pair) => two(pair, (one) => String(one.alerts)),
    },
    {
      key: "bands",
      head: "Time in bands",
      full: true,
      cell: (pair) =>
        compared && JSON.stringify(pair.a?.bands) !== JSON.stringify(pair.b?.bands) ? (
          <span className={classes.pairBands}>
            <Bands one={pair.a} />
            <Bands one={pair.b} />
          </span>
        ) : (
          <Bands one={either(pair)} />
        ),
    },
    {
      key: "worstAt",
      head: "Evidence",
      cell: (pair) => {
        const one = either(pair);
        return one.worst_at ? (
          <Link
            to="/slos/$name"
            params={{ name: one.name }}
            search={aroundRange(one.worst_at)}
            className="nowrap"
          >
            its worst moment
          </Link>
        ) : (
          <span className="dim">–</span>
        );
      },
    },
  ];
  return <DataTable label="SLOs" rows={rows} columns={columns} rowKey={(pair) => either(pair).name} />;
}

interface Props {
  result: BacktestResult;
  chosen: string | undefined;
  onChoose: (name: string) => void;
}
