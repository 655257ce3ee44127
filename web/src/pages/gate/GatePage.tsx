import { Select } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { Link, useNavigate, useSearch } from "@tanstack/react-router";
import { decisionsQuery } from "~/api/queries";
import type { GateDecision } from "~/api/types";
import { Answer } from "~/components/Answer";
import { CopyMenu } from "~/components/CopyMenu";
import { asCurl } from "~/components/clipboard";
import { EmptyNote } from "~/components/EmptyNote";
import { PageHead } from "~/components/PageHead";
import { AskForm } from "./AskForm";
import { DecisionTable } from "./DecisionTable";
import { verdictTone, verdictWord } from "./verdict";

function answerOf(latest: GateDecision | undefined): string {
  if (!latest) return "Nobody has asked the gate yet.";
  const { service, version } = latest.request;
  return `${service}${version ? ` ${version}` : ""}: ${latest.summary}`;
}

/** May I deploy? */
export function GatePage() {
  const search = useSearch({ strict: false });
  const navigate = useNavigate();
  const filter = { service: search.service, verdict: search.verdict };
  const query = useQuery(decisionsQuery({ verdict: filter.verdict }));
  const [latest] = query.data?.decisions ?? [];
  return (
    <>
      <PageHead
        title="Gate"
        answer={
          query.data
            ? answerOf(latest)
            : query.error
              ? "The gate's history is not known."
              : "Reading the gate's history"
        }
        tone={latest ? verdictTone[latest.verdict] : undefined}
        actions={
          <CopyMenu
            items={[{ label: "Copy history as curl", text: () => asCurl("/sb/v1/gate/decisions") }]}
          />
        }
      >
        {latest
          ? "The newest decision. Ask below whether another version may go."
          : "Ask below whether a version may be deployed."}{" "}
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
