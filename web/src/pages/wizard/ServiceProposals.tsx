import { Radio } from "@mantine/core";
import { useQueries, useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { instantQuery } from "~/api/queries";
import type { PromData } from "~/api/types";
import { Answer } from "~/components/Answer";
import { EmptyNote } from "~/components/EmptyNote";
import { ProposalView } from "./ProposalView";
import { bucketsOf, lookBack, proposals, sourcesOf, totalOf } from "./propose";

function first(data: PromData | undefined): number {
  if (data?.resultType !== "vector") return 0;
  return Number(data.result[0]?.value?.[1] ?? 0) || 0;
}

/** The indicators a service's own metrics allow, one of them chosen. */
export function ServiceProposals({ service }: { service: string }) {
  const at = Math.floor(Date.now() / 3_600_000) * 3_600_000;
  const sources = sourcesOf(service);
  const counts = useQueries({
    queries: sources.map((source) => instantQuery(totalOf(source, lookBack), at)),
  });
  const ready = counts.every((one) => one.data);
  const totals = counts.map((one) => first(one.data?.data));
  const best = totals[0] ? 0 : totals[1] ? 1 : -1;
  const source = sources[best];
  const expr = source ? `sum by (le) (increase(${source.bucket}{${source.match}}[${lookBack}]))` : "";
  const buckets = useQuery({ ...instantQuery(expr, at), enabled: ready && expr !== "" });
  const [key, setKey] = useState("availability");
  if (ready && !source)
    return (
      <EmptyNote
        title={`${service} has no requests in the last 30 days.`}
        command={`signalbox explain ${service}`}
      >
        An SLO about requests needs spans of kind server or consumer, or the metric
        http_server_request_duration_seconds.
      </EmptyNote>
    );
  const failed = counts.find((one) => one.error);
  const query = failed
    ? { ...buckets, error: failed.error, refetch: failed.refetch as typeof buckets.refetch }
    : buckets;
  return (
    <Answer query={query} what="what was measured" height={320}>
      {(data) => {
        if (!source) return null;
        const list = proposals(service, source, bucketsOf(data.data));
        const chosen = list.find((one) => one.key === key) ?? list[0];
        return (
          <div className="stack">
            <section className="panel stack tight">
              <Radio.Group
                label={<strong>What is promised</strong>}
                description={`Counted on ${source.name}.`}
                value={chosen?.key ?? ""}
                onChange={setKey}
              >
                <div className="stack tight" style={{ marginTop: 8 }}>
                  {list.map((one) => (
                    <Radio key={one.key} value={one.key} label={one.title} description={one.words} />
                  ))}
                </div>
              </Radio.Group>
            </section>
            {chosen && <ProposalView key={chosen.key} service={service} proposal={chosen} />}
          </div>
        );
      }}
    </Answer>
  );
}
