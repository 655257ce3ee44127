import { Select } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { Link, useNavigate, useSearch } from "@tanstack/react-router";
import { policiesQuery } from "~/api/budgets";
import { decisionsQuery, slosQuery } from "~/api/queries";
import type { GateDecision, PolicyView } from "~/api/types";
import { Answer } from "~/components/Answer";
import { CopyMenu } from "~/components/CopyMenu";
import { asCurl } from "~/components/clipboard";
import { EmptyNote } from "~/components/EmptyNote";
import { PageHead } from "~/components/PageHead";
import type { Tone } from "~/components/StateMark";
import { When } from "~/components/When";
import { bandSentence, byService } from "~/pages/policies/bands";
import { bandTone } from "~/slo/band";
import { AskForm } from "./AskForm";
import { DecisionTable } from "./DecisionTable";
import { shown, verdictWord } from "./verdict";

function asked(latest: GateDecision): string {
  const { service, version } = latest.request;
  return `${service}${version ? ` ${version}` : ""}: ${shown(latest).summary}`;
}

/** What may be deployed, by the budgets; of one service, what was said last. Not whoever asked last, about anything. */
export function gateAnswer(
  service: string | undefined,
  decisions: readonly GateDecision[],
  view: PolicyView | undefined,
  burning: readonly string[] = [],
): { answer: string; tone: Tone | undefined } {
  const latest = decisions.find((one) => one.request.service === service);
  if (service && latest) return { answer: asked(latest), tone: shown(latest).tone };
  if (!view) return { answer: "May I deploy?", tone: undefined };
  const services = byService(view.promises).filter((one) => !service || one.service === service);
  if (service && services.length === 0)
    return { answer: `No SLO is known for ${service}: the gate has nothing to go by.`, tone: "unknown" };
  const bands = { answer: bandSentence(services), tone: bandTone[services[0]?.band ?? ""] };
  const hot = burning.filter((one) => !service || one === service);
  if (hot.length === 0) return bands;
  const names = hot.length > 3 ? `${hot.length} services` : hot.join(", ");
  const verb = hot.length === 1 ? "burns" : "burn";
  return { answer: `${names} ${verb} now: ask before a deployment; ${bands.answer}`, tone: "danger" };
}

/** May I deploy? */
export function GatePage() {
  const search = useSearch({ strict: false });
  const navigate = useNavigate();
  const filter = { service: search.service, verdict: search.verdict };
  const query = useQuery(decisionsQuery({ verdict: filter.verdict }));
  const policies = useQuery(policiesQuery);
  const [latest] = query.data?.decisions ?? [];
  const slos = useQuery(slosQuery).data?.slos ?? [];
  const burning = slos.filter((slo) => slo.state === "burning").map((slo) => slo.service);
  const { answer, tone } = gateAnswer(filter.service, query.data?.decisions ?? [], policies.data, [
    ...new Set(burning),
  ]);
  return (
    <>
      <PageHead
        title="Gate"
        answer={
          policies.data || query.data
            ? answer
            : policies.error
              ? "The budget policies are not known."
              : "Reading the budget policies"
        }
        tone={tone}
        actions={
          <CopyMenu
            items={[{ label: "Copy history as curl", text: () => asCurl("/sb/v1/gate/decisions") }]}
          />
        }
      >
        {latest && (
          <>
            Asked last, <When at={latest.time} ago />: {asked(latest)}{" "}
          </>
        )}
        <Link to="/gate/policies">Budget policies and freezes</Link> ·{" "}
        <Link to="/gate/canary">Compare two versions</Link> · <Link to="/remedies">Rollbacks</Link>
      </PageHead>
      <section className="panel">
        <AskForm
          initial={{
            service: search.service ?? "",
            environment: search.environment ?? "",
            version: search.version ?? "",
          }}
        />
      </section>
      <section className="panel stack tight">
        <div className="row between">
          <h2>Decisions</h2>
          <Select
            aria-label="Show verdicts"
            size="xs"
            w={170}
            value={search.verdict ?? "all"}
            allowDeselect={false}
            data={[
              { value: "all", label: "Every verdict" },
              ...Object.entries(verdictWord).map(([value, label]) => ({ value, label })),
            ]}
            onChange={(value) =>
              void navigate({
                to: ".",
                search: (old) => ({ ...old, verdict: value === "all" ? undefined : (value ?? undefined) }),
              })
            }
          />
        </div>
        <Answer query={query} what="the gate's decisions" height={240}>
          {({ decisions }) =>
            decisions.length > 0 ? (
              <DecisionTable decisions={decisions} />
            ) : (
              <EmptyNote
                title={filter.verdict ? "No decision has this verdict." : "No decision was made yet."}
                command="signalbox gate check --service edge --environment prod --version 2.4.2"
              >
                Put the check before the deployment step of the pipeline: it exits 0 when the version may go,
                1 when it is blocked, 2 when it is held or there is not enough data.
              </EmptyNote>
            )
          }
        </Answer>
      </section>
    </>
  );
}
