import { useQuery } from "@tanstack/react-query";
import { Link, useParams } from "@tanstack/react-router";
import { sloQuery } from "~/api/queries";
import type { SLOStatus } from "~/api/types";
import { Answer } from "~/components/Answer";
import { CopyMenu } from "~/components/CopyMenu";
import { asCurl } from "~/components/clipboard";
import { PageHead } from "~/components/PageHead";
import { When } from "~/components/When";
import { formatWindow } from "~/format/duration";
import { formatFigure, formatRatio } from "~/format/number";
import { BandMark } from "~/slo/BandMark";
import { bandReason } from "~/slo/band";
import { withWindow } from "~/slo/burn";
import { SloLinks } from "~/slo/SloLinks";
import { SloMark } from "~/slo/SloMark";
import { sourceOf } from "~/slo/source";
import { stateTone } from "~/slo/state";
import { BudgetFacts } from "./BudgetFacts";
import { BurnTable } from "./BurnTable";
import { Corrections } from "./Corrections";
import { FeltTable } from "./FeltTable";
import { GroupTable } from "./GroupTable";
import { SloCharts } from "./SloCharts";
import { SloQueries } from "./SloQueries";
import { SpentBy } from "./SpentBy";
import { WhatIf } from "./WhatIf";

/** What spent the budget? */
export function SloPage() {
  const { name } = useParams({ from: "/slos/$name" });
  const query = useQuery(sloQuery(name));
  const slo = query.data;
  return (
    <>
      <PageHead
        title={slo?.display_name ?? name}
        answer={
          slo
            ? slo.reason || `${formatFigure(slo.budget.used_ratio, "ratio")} of the budget is used.`
            : query.error
              ? `${name} cannot be shown.`
              : `Reading ${name}`
        }
        tone={slo ? stateTone[slo.state] : undefined}
        actions={
          slo && (
            <CopyMenu
              items={[
                { label: "Copy as curl", text: () => asCurl(`/sb/v1/slos/${encodeURIComponent(name)}`) },
                ...(sourceOf(slo) === "promql"
                  ? [{ label: "Copy as PromQL", text: () => withWindow(slo.queries.error, "1h") }]
                  : []),
              ]}
            />
          )
        }
      >
        {slo && (
          <>
            <strong>{slo.display_name}</strong> of {slo.service}: {formatRatio(slo.objective)} over{" "}
            {formatWindow(slo.window)}. {slo.description || slo.indicator}
          </>
        )}
      </PageHead>
      <Answer query={query} what={`the SLO ${name}`} height={420}>
        {(data) => <SloBody slo={data} />}
      </Answer>
    </>
  );
}

function SloBody({ slo }: { slo: SLOStatus }) {
  return (
    <div className="stack">
      <section className="panel stack tight">
        <div className="row">
          <SloMark state={slo.state} />
          {slo.since && (
            <span className="dim small">
              since <When at={slo.since} ago />
            </span>
          )}
          {slo.alerts?.length ? <span className="small">Active: {slo.alerts.join(", ")}</span> : null}
        </div>
        {slo.band && (
          <p className="row">
            <span className="dim small">Deployments</span>
            <BandMark band={slo.band} />
            <span className="dim small">
              {bandReason(slo.band)} · <Link to="/gate/policies">policies</Link>
            </span>
          </p>
        )}
        {slo.action && (
          <p>
            <strong>Next: </strong>
            {slo.action}
          </p>
        )}
        <SloLinks slo={slo} here />
      </section>
      <BudgetFacts slo={slo} />
      <GroupTable slo={slo} />
      <FeltTable slo={slo} />
      <SloCharts slo={slo} />
      <SpentBy slo={slo} />
      <section className="panel stack tight">
        <h2>Burn by window</h2>
        <BurnTable slo={slo} />
      </section>
      <WhatIf slo={slo} />
      <Corrections name={slo.name} />
      <section className="panel stack tight">
        <h2>Queries</h2>
        <SloQueries slo={slo} />
      </section>
    </div>
  );
}
