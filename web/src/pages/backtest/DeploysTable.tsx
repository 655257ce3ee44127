import { Link } from "@tanstack/react-router";
import { useState } from "react";
import type { BacktestDeploy, BacktestResult, Verdict } from "~/api/types";
import { type Column, DataTable } from "~/components/DataTable";
import { StateMark } from "~/components/StateMark";
import { When } from "~/components/When";
import { plural } from "~/format/number";
import { verdictTone, verdictWord } from "~/pages/gate/verdict";
import { either, type Pair, pairDeploys } from "./outcome";
import { aroundRange } from "./span";

const first = 12;

function Said({ verdict }: { verdict: Verdict | undefined }) {
  return verdict ? (
    <StateMark tone={verdictTone[verdict]} word={verdictWord[verdict]} />
  ) : (
    <span className="dim">–</span>
  );
}

/** What the gate would have said to each deployment; those that it would have stopped, or on which A and B differ, first. */
export function DeploysTable({ result }: { result: BacktestResult }) {
  const [all, setAll] = useState(false);
  const [a, b] = result.sets;
  const compared = b !== undefined;
  const pairs = pairDeploys(a?.deploys ?? [], b?.deploys ?? []);
  const telling = pairs.filter(
    (pair) => either(pair).verdict !== "allow" || (pair.b && pair.b.verdict !== pair.a?.verdict),
  );
  const quiet = pairs.length - telling.length;
  const rows = all || telling.length === 0 ? (all ? pairs : pairs.slice(-first)) : telling;
  const columns: Column<Pair<BacktestDeploy>>[] = [
    {
      key: "time",
      head: "When",
      cell: (pair) => (
        <span className="nowrap">
          <When at={either(pair).deploy.time ?? ""} />
        </span>
      ),
    },
    {
      key: "what",
      head: "Deployment",
      cell: (pair) => {
        const { deploy } = either(pair);
        return (
          <Link
            to="/services/$name"
            params={{ name: deploy.service }}
            search={aroundRange(deploy.time ?? "")}
            className="nowrap"
          >
            {deploy.service} {deploy.version}
          </Link>
        );
      },
    },
    { key: "a", head: compared ? "With A" : "The gate", cell: (pair) => <Said verdict={pair.a?.verdict} /> },
    ...(compared
      ? [
          {
            key: "b",
            head: "With B",
            cell: (pair: Pair<BacktestDeploy>) => <Said verdict={pair.b?.verdict} />,
          },
        ]
      : []),
    {
      key: "why",
      head: "Why",
      full: true,
      cell: (pair) => {
        const telling = pair.b && pair.b.verdict !== pair.a?.verdict ? pair.b : either(pair);
        const [reason] = telling.reasons.filter((one) => one.verdict === telling.verdict);
        return (
          <>
            {telling.summary}{" "}
            {reason?.slo && (
              <Link
                to="/slos/$name"
                params={{ name: reason.slo }}
                search={aroundRange(telling.deploy.time ?? "")}
                style={{ display: "inline-block" }}
              >
                {reason.slo} then
              </Link>
            )}
          </>
        );
      },
    },
  ];
  if (pairs.length === 0)
    return <p className="dim">No deployment was recorded in this time, so the gate was not asked.</p>;
  return (
    <div className="stack tight">
      {telling.length === 0 && (
        <p className="dim">
          Each of {plural(pairs.length, "deployment")} would have been allowed
          {compared ? ", with A and with B" : ""}.
        </p>
      )}
      <DataTable
        label="Deployments"
        rows={rows}
        columns={columns}
        rowKey={(pair) =>
          either(pair).deploy.id ?? `${either(pair).deploy.time}${either(pair).deploy.service}`
        }
      />
      {(all || rows.length < pairs.length) && (
        <button type="button" className="linkish small" onClick={() => setAll(!all)}>
          {all
            ? "Show fewer"
            : telling.length > 0
              ? `Show the ${plural(quiet, "other deployment")} too`
              : `Show all ${pairs.length}`}
        </button>
      )}
    </div>
  );
}
