import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { policiesQuery } from "~/api/budgets";
import { activeAlertsQuery } from "~/api/queries";
import type { PolicyView } from "~/api/types";
import { Answer } from "~/components/Answer";
import { CopyMenu } from "~/components/CopyMenu";
import { asCurl } from "~/components/clipboard";
import { EmptyNote } from "~/components/EmptyNote";
import { PageHead } from "~/components/PageHead";
import { type Band, bandTone } from "~/slo/band";
import { BandTable } from "./BandTable";
import { bandSentence, byService } from "./bands";
import { FreezeList } from "./FreezeList";
import { PolicyRulesTable } from "./PolicyRulesTable";

/** Which budget policy is in force, and what does it mean now? */
export function PoliciesPage() {
  const query = useQuery(policiesQuery);
  const view = query.data;
  const services = view ? byService(view.promises) : [];
  const sentence = bandSentence(services);
  const frozen = view?.frozen.length ?? 0;
  return (
    <>
      <PageHead
        title="Budget policies"
        answer={view ? sentence : query.error ? "The policies cannot be shown." : "Reading the policies"}
        tone={view ? (frozen ? "danger" : bandTone[(services[0]?.band ?? "") as Band | ""]) : undefined}
        actions={<CopyMenu items={[{ label: "Copy as curl", text: () => asCurl("/sb/v1/gate/policies") }]} />}
      >
        A budget's band follows from how much of it is used; the strictest policy that matches decides.{" "}
        <Link to="/gate">Ask the gate</Link> · <Link to="/backtest">Replay another policy</Link>
      </PageHead>
      <Answer query={query} what="the policies" height={360}>
        {(data) => <Body view={data} />}
      </Answer>
    </>
  );
}

function Body({ view }: { view: PolicyView }) {
  const alerts = useQuery(activeAlertsQuery);
  const since = new Map(
    (alerts.data ?? [])
      .filter((alert) => alert.labels.alertname === "SLOBudgetBand")
      .map((alert) => [alert.labels.slo ?? "", alert.startsAt]),
  );
  const services = byService(view.promises);
  const rules = JSON.stringify(view.default);
  const same = view.policies.find((policy) => JSON.stringify(policy.rules) === rules);
  return (
    <div className="stack">
      <section className="panel stack tight">
        <h2>Services and their bands</h2>
        {services.length > 0 ? (
          <BandTable services={services} since={since} />
        ) : (
          <EmptyNote title="No SLO is written down yet." command="signalbox check slos slos/*.yaml">
            Bands are about error budgets, and a budget begins with an SLO.{" "}
            <Link to="/slos/new">Propose one for a service</Link>
          </EmptyNote>
        )}
      </section>
      <section className="panel stack tight">
        <h2>Freeze calendar</h2>
        <FreezeList view={view} />
      </section>
      <section className="panel stack">
        <h2>Rules in force</h2>
        {view.policies.map((policy) => (
          <PolicyRulesTable key={policy.name} policy={policy} />
        ))}
        {same ? (
          <p className="dim">Where no policy matches, default applies: the same rules as {same.name}.</p>
        ) : (
          <PolicyRulesTable rules={view.default} />
        )}
      </section>
    </div>
  );
}
