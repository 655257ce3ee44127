import { Select } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { Link, useNavigate, useSearch } from "@tanstack/react-router";
import { buildUrl } from "~/api/client";
import { remediationQuery } from "~/api/remediation";
import { remediesQuery } from "~/api/reports";
import type { Remedy } from "~/api/types";
import { Answer } from "~/components/Answer";
import { CopyMenu } from "~/components/CopyMenu";
import { asCurl } from "~/components/clipboard";
import { EmptyNote } from "~/components/EmptyNote";
import { PageHead } from "~/components/PageHead";
import { Contracts } from "./Contracts";
import { urgent } from "./contracts";
import { RemedyCard } from "./RemedyCard";
import { answerOf, isOpen, stateTone, stateWord } from "./remedies";

/** What was rolled back, and did it help? */
export function RemediesPage() {
  const search = useSearch({ strict: false });
  const navigate = useNavigate();
  const filter = { service: search.service, state: search.state };
  const query = useQuery(remediesQuery(filter));
  const list = query.data?.remedies ?? [];
  const patch = (change: Partial<Record<"service" | "state" | "open", string | undefined>>) =>
    void navigate({ to: ".", search: (old) => ({ ...old, ...change }) });
  const services = [
    ...new Set([...list.map((one) => one.service), ...(filter.service ? [filter.service] : [])]),
  ].sort();
  const pressing = urgent(useQuery(remediationQuery).data);
  const live = list.find(isOpen);
  return (
    <>
      <PageHead
        title="Remedies"
        answer={
          pressing?.text ??
          (query.data
            ? answerOf(list)
            : query.error
              ? "It is not known what was rolled back."
              : "Reading the rollbacks")
        }
        tone={
          pressing?.tone ??
          (query.data
            ? live
              ? stateTone[live.state]
              : list[0]
                ? stateTone[list[0].state]
                : "ok"
            : undefined)
        }
        actions={
          <CopyMenu
            items={[{ label: "Copy as curl", text: () => asCurl(buildUrl("/sb/v1/remedies", filter)) }]}
          />
        }
      >
        What is done about alerts, and what the auto-rollback did about breaches that last.{" "}
        <Link to="/alerts">Alerts and pages</Link> · <Link to="/gate">Gate</Link>
      </PageHead>
      <Contracts />
      <h2>Rollbacks</h2>
      <div className="row">
        <Select
          aria-label="Service"
          w={200}
          clearable
          placeholder="Every service"
          value={filter.service ?? null}
          data={services}
          onChange={(next) => patch({ service: next ?? undefined })}
        />
        <Select
          aria-label="State"
          w={220}
          clearable
          placeholder="Every state"
          value={filter.state ?? null}
          data={Object.entries(stateWord).map(([value, label]) => ({ value, label }))}
          onChange={(next) => patch({ state: next ?? undefined })}
        />
      </div>
      <Answer query={query} what="the rollbacks" height={240}>
        {({ remedies }) =>
          remedies.length > 0 ? (
            <div className="stack tight">
              {remedies.map((remedy: Remedy) => (
                <RemedyCard
                  key={remedy.id}
                  remedy={remedy}
                  open={search.open === remedy.id}
                  onOpen={() => patch({ open: search.open === remedy.id ? undefined : remedy.id })}
                />
              ))}
            </div>
          ) : (
            <EmptyNote
              title={filter.service || filter.state ? "No breach matches." : "No breach was looked at yet."}
              command={
                "# signalbox.yml\nremedy:\n  dry_run: true\n  targets:\n    - service: edge\n      kubernetes: {namespace: shop, deployment: edge}"
              }
            >
              When a burn alert that pages has been active for ten minutes and a deployment is the likely
              cause, the service is rolled back, or in a dry run it is said that it would be. A target says
              how.
            </EmptyNote>
          )
        }
      </Answer>
    </>
  );
}
