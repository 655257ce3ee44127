import { Autocomplete, Button, Select } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { Link, useNavigate, useSearch } from "@tanstack/react-router";
import { type FormEvent, useEffect, useRef, useState } from "react";
import { useCompare } from "~/api/budgets";
import { serviceQuery, useServiceNames } from "~/api/queries";
import type { CanaryResult } from "~/api/types";
import { CopyMenu } from "~/components/CopyMenu";
import { EmptyNote } from "~/components/EmptyNote";
import { ErrorNote } from "~/components/ErrorNote";
import { PageHead } from "~/components/PageHead";
import { verdictTone } from "~/pages/gate/verdict";
import { useTimeRange } from "~/time/useTimeRange";
import { CanaryView } from "./CanaryView";

const windows = ["10m", "30m", "1h", "3h"];

function answerOf(result: CanaryResult | undefined, failed: boolean, busy: boolean): string {
  if (busy) return "Comparing the two versions";
  if (failed) return "The versions could not be compared.";
  return result?.summary ?? "Is the new version worse than the one that runs?";
}

/** Is the new version worse than the one that runs? */
export function CanaryPage() {
  const search = useSearch({ strict: false });
  const navigate = useNavigate();
  const { resolved } = useTimeRange();
  const names = useServiceNames(resolved);
  const [service, setService] = useState(search.service ?? "");
  const [baseline, setBaseline] = useState(search.baseline ?? "");
  const [canary, setCanary] = useState(search.canary ?? "");
  const window = search.window ?? "30m";
  const detail = useQuery({ ...serviceQuery(service, resolved), enabled: names.includes(service) });
  const versions = (detail.data?.versions ?? []).map((one) => one.value).filter(Boolean);
  const compare = useCompare();
  const { mutate } = compare;
  const asked = useRef("");
  // A link that names everything shows the comparison at once.
  useEffect(() => {
    const { service, baseline, canary } = search;
    const key = [service, baseline, canary, window].join("|");
    if (!service || !baseline || !canary || asked.current === key) return;
    asked.current = key;
    mutate({ service, baseline, canary, window });
  }, [search, window, mutate]);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    asked.current = "";
    void navigate({
      to: ".",
      search: (old) => ({ ...old, service, baseline: baseline.trim(), canary: canary.trim(), window }),
    });
  };
  const request = { service, baseline, canary, window };
  const curl = `curl -s -X POST ${location.origin}/sb/v1/gate/canary -H 'Content-Type: application/json' -d '${JSON.stringify(request)}'`;
  return (
    <>
      <PageHead
        title="Compare versions"
        answer={answerOf(compare.data, Boolean(compare.error), compare.isPending)}
        tone={compare.data ? verdictTone[compare.data.verdict] : undefined}
        actions={<CopyMenu items={[{ label: "Copy as curl", text: () => curl }]} />}
      >
        Latency by a rank test, errors by the bounds of their difference. <Link to="/gate">The gate</Link>
      </PageHead>
      <section className="panel">
        <form
          onSubmit={submit}
          className="row"
          style={{ alignItems: "flex-end" }}
          aria-label="What to compare"
        >
          <Autocomplete
            label="Service"
            required
            data={names}
            value={service}
            style={{ flex: "1 1 150px" }}
            onChange={setService}
          />
          <Autocomplete
            label="Baseline version"
            required
            data={versions}
            value={baseline}
            style={{ flex: "1 1 130px" }}
            onChange={setBaseline}
          />
          <Autocomplete
            label="Canary version"
            required
            data={versions}
            value={canary}
            style={{ flex: "1 1 130px" }}
            onChange={setCanary}
          />
          <Select
            label="Look back"
            data={windows.includes(window) ? windows : [window, ...windows]}
            value={window}
            allowDeselect={false}
            style={{ flex: "1 1 90px" }}
            onChange={(value) =>
              void navigate({ to: ".", search: (old) => ({ ...old, window: value ?? undefined }) })
            }
          />
          <Button type="submit" loading={compare.isPending}>
            Compare
          </Button>
        </form>
      </section>
      {compare.error && <ErrorNote what="the comparison" error={compare.error} />}
      {compare.data ? (
        <CanaryView result={compare.data} />
      ) : (
        !compare.error &&
        !compare.isPending && (
          <EmptyNote
            title="Name a service and two of its versions."
            command="signalbox gate canary --service edge --baseline 2.4.1 --canary 2.5.0"
          >
            Both must run side by side, so that they meet the same load.
          </EmptyNote>
        )
      )}
    </>
  );
}
