import { Button, SegmentedControl, Skeleton } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { useMemo, useState } from "react";
import { buildUrl } from "~/api/client";
import { deploysQuery, tracesQuery } from "~/api/queries";
import type { TraceRow } from "~/api/types";
import { deployMarkers } from "~/chart/deployMarkers";
import { CopyMenu } from "~/components/CopyMenu";
import { asCurl } from "~/components/clipboard";
import { EmptyNote } from "~/components/EmptyNote";
import { useTitle } from "~/components/useTitle";
import { EventHistogram } from "~/explore/EventHistogram";
import explore from "~/explore/Explore.module.css";
import { FieldSidebar } from "~/explore/FieldSidebar";
import { FilterError } from "~/explore/FilterError";
import { SearchBox } from "~/explore/SearchBox";
import { fieldValue } from "~/filter/filter";
import { formatDuration } from "~/format/duration";
import { plural } from "~/format/number";
import { useTimeRange } from "~/time/useTimeRange";
import { DurationScatter } from "./DurationScatter";
import { TraceList } from "./TraceList";

const sizes = [100, 300, 1000] as const;

/** What was found, in one sentence. */
export function tracesAnswer(traces: readonly TraceRow[], truncated: boolean, slowest: boolean): string {
  if (traces.length === 0) return "No trace matches.";
  const failed = traces.filter((trace) => trace.errors > 0).length;
  const most = Math.max(...traces.map((trace) => trace.duration_ns));
  const count = truncated
    ? `The ${slowest ? "slowest" : "newest"} ${plural(traces.length, "trace")}`
    : `${plural(traces.length, "trace")} ${traces.length === 1 ? "matches" : "match"}`;
  const errors = failed === 0 ? "none with errors" : `${failed} with errors`;
  return `${count}, ${errors}; the longest took ${formatDuration(most / 1e9)}.`;
}

/** What happened? In traces. */
export function TracesPage() {
  useTitle("Traces");
  const search = useSearch({ strict: false });
  const navigate = useNavigate();
  const { resolved } = useTimeRange();
  const q = search.q ?? "";
  const order = search.order === "slowest" ? "slowest" : "newest";
  const [size, setSize] = useState<{ q: string; index: number }>({ q, index: 0 });
  const limit = sizes[size.q === q ? size.index : 0] ?? 100;
  const query = useQuery(tracesQuery(q, resolved, limit, order));
  const deploys = useQuery(deploysQuery(resolved, fieldValue(q, "service")));
  const markers = useMemo(() => deployMarkers(deploys.data?.deploys ?? [], true), [deploys.data]);
  const setQuery = (next: string) => {
    // A pasted trace id opens the trace.
    if (/^[0-9a-f]{32}$/i.test(next))
      void navigate({ to: "/traces/$id", params: { id: next.toLowerCase() } });
    else void navigate({ to: ".", search: (old) => ({ ...old, q: next || undefined }) });
  };
  const traces = query.data?.traces ?? [];
  const params = {
    q,
    start: new Date(resolved.from).toISOString(),
    end: new Date(resolved.to).toISOString(),
    limit,
    order,
  };
  return (
    <>
      <h1 className="sr">Traces</h1>
      <SearchBox
        kind="traces"
        label="Search the traces"
        placeholder="service:edge status:error duration:>300ms, or a trace id"
        value={q}
        onSubmit={setQuery}
      />
      {query.error && (
        <FilterError what="the traces" query={q} error={query.error} onRetry={() => void query.refetch()} />
      )}
      <section className="panel stack tight">
        <EventHistogram kind="traces" title="Spans by status" q={q} field="status" markers={markers} />
        <DurationScatter traces={traces} range={resolved} />
      </section>
      <div className={explore.split}>
        <aside className={explore.side}>
          <FieldSidebar kind="traces" q={q} onQuery={setQuery} />
        </aside>
        <div className="stack tight">
          <div className="row between">
            <p role="status">
              {query.data
                ? tracesAnswer(traces, query.data.truncated, order === "slowest")
                : query.error
                  ? ""
                  : "Searching"}
            </p>
            <div className="row">
              <SegmentedControl
                size="xs"
                aria-label="Order"
                value={order}
                data={[
                  { value: "newest", label: "Newest" },
                  { value: "slowest", label: "Slowest" },
                ]}
                onChange={(next) =>
                  void navigate({
                    to: ".",
                    search: (old) => ({ ...old, order: next === "slowest" ? next : undefined }),
                  })
                }
              />
              <CopyMenu
                items={[{ label: "Copy as curl", text: () => asCurl(buildUrl("/sb/v1/traces", params)) }]}
              />
            </div>
          </div>
          {query.isPending && !query.error && <Skeleton height={400} radius={8} />}
          {traces.length > 0 && (
            <div style={query.isPlaceholderData ? { opacity: 0.65 } : undefined}>
              <TraceList traces={traces} />
            </div>
          )}
          {query.data && traces.length === 0 && !query.error && <NoTraces q={q} hints={query.data.hints} />}
          {query.data?.truncated && limit < 1000 && (
            <div>
              <Button
                variant="default"
                loading={query.isFetching}
                onClick={() => setSize({ q, index: sizes.indexOf(limit as 100) + 1 })}
              >
                Show more
              </Button>
            </div>
          )}
        </div>
      </div>
    </>
  );
}

function NoTraces({ q, hints }: { q: string; hints?: string[] | null }) {
  if (q)
    return (
      <EmptyNote title="No trace matches.">
        {hints?.length ? `${hints.join("; ")}.` : "Widen the time range, or take a term out of the filter."}
      </EmptyNote>
    );
  return (
    <EmptyNote
      title="No trace arrived in this time range."
      command={`export OTEL_EXPORTER_OTLP_ENDPOINT=http://${window.location.hostname}:4317\nexport OTEL_TRACES_EXPORTER=otlp`}
    >
      Send spans with any OpenTelemetry SDK or collector.
    </EmptyNote>
  );
}
