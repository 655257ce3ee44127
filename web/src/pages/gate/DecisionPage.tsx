import { useQuery } from "@tanstack/react-query";
import { Link, useParams } from "@tanstack/react-router";
import { decisionQuery } from "~/api/queries";
import { Answer } from "~/components/Answer";
import { CopyMenu } from "~/components/CopyMenu";
import { asCurl } from "~/components/clipboard";
import { PageHead } from "~/components/PageHead";
import { StateMark } from "~/components/StateMark";
import { suspicion } from "~/components/TamperedMark";
import { When } from "~/components/When";
import { DecisionView } from "./DecisionView";
import { OverridePanel } from "./OverridePanel";
import { ReplayPanel } from "./ReplayPanel";
import { shown } from "./verdict";

function Suspicion({ text }: { text: string }) {
  const { tone, word } = suspicion(text);
  return (
    <section className="panel" aria-label={word} role={tone === "danger" ? "alert" : "status"}>
      <StateMark tone={tone} word={word} />{" "}
      {tone === "danger"
        ? `This is not what the gate signed: ${text}. Believe nothing below, and find out who had access to the database.`
        : `Whether this is what the gate signed is not known: ${text}.`}
    </section>
  );
}

/** Why did the gate decide so? */
export function DecisionPage() {
  const { id } = useParams({ from: "/gate/$id" });
  const query = useQuery(decisionQuery(id));
  const decision = query.data;
  const what = decision && shown(decision);
  return (
    <>
      <PageHead
        title="Gate decision"
        answer={what?.summary ?? (query.error ? "This decision cannot be shown." : "Reading the decision")}
        tone={what?.tone}
        actions={
          <CopyMenu
            items={[
              {
                label: "Copy as curl",
                text: () => asCurl(`/sb/v1/gate/decisions/${encodeURIComponent(id)}`),
              },
            ]}
          />
        }
      >
        {decision && (
          <>
            <Link to="/services/$name" params={{ name: decision.request.service }}>
              {decision.request.service}
            </Link>{" "}
            {decision.request.version} {decision.request.environment && `in ${decision.request.environment}`}
            {decision.request.actor && `, asked by ${decision.request.actor}`} at{" "}
            <When at={decision.time} ago />.{" "}
          </>
        )}
        <Link to="/gate">All decisions</Link>
      </PageHead>
      <Answer query={query} what="the decision" height={240}>
        {(data) => (
          <div className="stack">
            {data.tampered && <Suspicion text={data.tampered} />}
            <section className="panel">
              <DecisionView decision={data} />
            </section>
            <ReplayPanel decision={data} />
            <OverridePanel decision={data} />
          </div>
        )}
      </Answer>
    </>
  );
}
