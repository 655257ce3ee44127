import { Link } from "@tanstack/react-router";
import { useState } from "react";
import type { BacktestOutcome, BacktestPage, BacktestResult } from "~/api/types";
import { type Column, DataTable } from "~/components/DataTable";
import { StateMark } from "~/components/StateMark";
import { When } from "~/components/When";
import { formatDuration } from "~/format/duration";
import { formatCount } from "~/format/number";
import { severityTone, severityWord } from "~/pages/alerts/severity";
import { alertsOf, either, type Pair, pairPages } from "./outcome";
import { aroundRange } from "./span";
import { Two } from "./Two";

/** A bad threshold notifies thousands of times; nobody reads the hundredth. */
const firstRows = 25;

function who(pair: Pair<BacktestPage>): string {
  return pair.a && pair.b ? "A and B" : pair.a ? "only A" : "only B";
}

/** The way to what was measured then: the SLO's page, else the service's, else nothing is known. */
function Evidence({ page, set }: { page: BacktestPage; set: BacktestOutcome | undefined }) {
  const alerts = alertsOf(page, set?.alerts ?? []);
  const search = aroundRange(page.start, page.seconds);
  const slos = [...new Set(alerts.flatMap((alert) => alert.slo ?? []))];
  const services = [...new Set(alerts.flatMap((alert) => alert.service ?? page.group.service ?? []))];
  if (slos.length > 0)
    return (
      <span className="row">
        {slos.map((name) => (
          <Link key={name} to="/slos/$name" params={{ name }} search={search}>
            {name} then
          </Link>
        ))}
      </span>
    );
  if (services.length > 0)
    return (
      <span className="row">
        {services.map((name) => (
          <Link key={name} to="/services/$name" params={{ name }} search={search}>
            {name} then
          </Link>
        ))}
      </span>
    );
  return <span className="dim">–</span>;
}

/** When somebody would have been told, who, and of what. */
export function PagesTable({ result, label, wanted }: Props) {
  const [a, b] = result.sets;
  const compared = b !== undefined;
  const [all, setAll] = useState(false);
  const rows = pairPages((a?.pages ?? []).filter(wanted), (b?.pages ?? []).filter(wanted));
  const columns: Column<Pair<BacktestPage>>[] = [
    {
      key: "start",
      head: "When",
      cell: (pair) => (
        <span className="nowrap">
          <When at={either(pair).start} />
        </span>
      ),
    },
    ...(compared
      ? [
          {
            key: "who",
            head: "With",
            cell: (pair: Pair<BacktestPage>) => (
              <span className={pair.a && pair.b ? "dim nowrap" : "nowrap"}>
                {pair.a && pair.b ? who(pair) : <strong>{who(pair)}</strong>}
              </span>
            ),
          },
        ]
      : []),
    {
      key: "severity",
      head: "Severity",
      cell: (pair) => (
        <StateMark tone={severityTone(either(pair).severity)} word={severityWord(either(pair).severity)} />
      ),
    },
    { key: "to", head: "To", cell: (pair) => either(pair).receiver },
    {
      key: "what",
      head: "Alerts",
      full: true,
      cell: (pair) => {
        const names = [...new Set([...(pair.a?.alerts ?? []), ...(pair.b?.alerts ?? [])])];
        return names.join(", ");
      },
    },
    {
      key: "long",
      head: "Lasted",
      numeric: true,
      cell: (pair) =>
        pair.a && pair.b && pair.a.seconds !== pair.b.seconds ? (
          <Two compared a={formatDuration(pair.a.seconds)} b={formatDuration(pair.b.seconds)} />
        ) : (
          formatDuration(either(pair).seconds)
        ),
    },
    {
      key: "evidence",
      head: "Evidence",
      full: true,
      cell: (pair) => <Evidence page={either(pair)} set={pair.a ? a : b} />,
    },
  ];
  const shown = all ? rows : rows.slice(0, firstRows);
  return (
    <div className="stack tight">
      <DataTable
        label={label}
        rows={shown}
        columns={columns}
        rowKey={(pair) =>
          `${either(pair).start}${either(pair).receiver}${either(pair).severity}${JSON.stringify(either(pair).group)}`
        }
      />
      {rows.length > firstRows && (
        <button type="button" className="linkish small" onClick={() => setAll(!all)}>
          {all ? `Show the first ${firstRows}` : `Show all ${formatCount(rows.length)}`}
        </button>
      )}
    </div>
  );
}

interface Props {
  result: BacktestResult;
  label: string;
  wanted: (page: BacktestPage) => boolean;
}
