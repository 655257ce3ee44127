import { Button, Skeleton, Switch } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { useMemo, useState } from "react";
import { buildUrl } from "~/api/client";
import { deploysQuery, logsQuery } from "~/api/queries";
import { deployMarkers } from "~/chart/deployMarkers";
import { CopyMenu } from "~/components/CopyMenu";
import { asCurl } from "~/components/clipboard";
import { EmptyNote } from "~/components/EmptyNote";
import { ErrorNote } from "~/components/ErrorNote";
import { useTitle } from "~/components/useTitle";
import { EventHistogram, histogramTotal, useEventHistogram } from "~/explore/EventHistogram";
import explore from "~/explore/Explore.module.css";
import { FieldSidebar } from "~/explore/FieldSidebar";
import { FilterError } from "~/explore/FilterError";
import { SearchBox } from "~/explore/SearchBox";
import { fieldValue } from "~/filter/filter";
import { formatCount, plural } from "~/format/number";
import { useTimeRange } from "~/time/useTimeRange";
import { LogRows } from "./LogRows";
import { type Tail, useTail } from "./useTail";

const pageSizes = [200, 1000, 5000, 10_000] as const;

/** What happened? In log lines. */
export function LogsPage() {
  useTitle("Logs");
  const search = useSearch({ strict: false });
  const navigate = useNavigate();
  const { resolved, live, setLive, range } = useTimeRange();
  const q = search.q ?? "";
  const [size, setSize] = useState<{ q: string; index: number }>({ q, index: 0 });
  const limit = pageSizes[size.q === q ? size.index : 0] ?? 200;
  // In live mode the lines come from the tail; the first answer stays as it was when it began.
  // biome-ignore lint/correctness/useExhaustiveDependencies: the moment live mode or the filter changed.
  const held = useMemo(() => resolved, [live, q, range, live ? 0 : resolved]);
  const logs = useQuery(logsQuery(q, live ? held : resolved, limit));
  const tail = useTail(q, live);
  const histogram = useEventHistogram("logs", q, "level");
  const deploys = useQuery(deploysQuery(resolved, fieldValue(q, "service")));
  const markers = useMemo(() => deployMarkers(deploys.data?.deploys ?? [], true), [deploys.data]);
  const setQuery = (next: string) =>
    void navigate({ to: ".", search: (old) => ({ ...old, q: next || undefined }) });
  const rows = useMemo(() => [...tail.logs, ...(logs.data?.logs ?? [])], [tail.logs, logs.data]);
  const total = histogramTotal(histogram.data);
  const params = {
    q,
    start: new Date(resolved.from).toISOString(),
    end: new Date(resolved.to).toISOString(),
    limit,
  };

  return (
    <>
      <h1 className="sr">Logs</h1>
      <SearchBox
        kind="logs"
        label="Search the logs"
        placeholder='level:error service:edge "connection reset"'
        value={q}
        onSubmit={setQuery}
      />
      {logs.error && (
        <FilterError what="the logs" query={q} error={logs.error} onRetry={() => void logs.refetch()} />
      )}
      <section className="panel">
        <EventHistogram kind="logs" title="Lines by level" q={q} field="level" markers={markers} />
      </section>
      <div className={explore.split}>
        <aside className={explore.side}>
          <FieldSidebar kind="logs" q={q} onQuery={setQuery} />
        </aside>
        <div className="stack tight">
          <div className="row between">
            <p role="status">
              {logs.error
                ? ""
                : statusLine(logs.data?.logs.length, total, logs.data?.truncated, live ? tail.state : "off")}
            </p>
            <div className="row">
              <Switch
                label="Live tail"
                size="xs"
                checked={live}
                disabled={range.kind === "absolute"}
                onChange={(event) => setLive(event.currentTarget.checked)}
              />
              <CopyMenu
                items={[
                  { label: "Copy as curl", text: () => asCurl(buildUrl("/sb/v1/logs", params)) },
                  { label: "Copy lines as JSON", text: () => JSON.stringify(rows, null, 2) },
                  {
                    label: "Copy lines as text",
                    text: () =>
                      rows
                        .map((log) => `${log.timestamp} ${log.level} ${log.service} ${log.message}`)
                        .join("\n"),
                  },
                ]}
              />
            </div>
          </div>
          {live && <TailState tail={tail} />}
          {tail.state === "refused" && tail.error && !logs.error && (
            <ErrorNote what="new lines" error={tail.error} />
          )}
          {logs.isPending && !logs.error && <Skeleton height={400} radius={8} />}
          {rows.length > 0 && (
            <div style={logs.isPlaceholderData ? { opacity: 0.65 } : undefined}>
              <LogRows logs={rows} q={q} onQuery={setQuery} />
            </div>
          )}
          {logs.data && rows.length === 0 && !logs.error && <NoLogs q={q} hints={logs.data.hints} />}
          {logs.data?.truncated && limit < 10_000 && (
            <div>
              <Button
                variant="default"
                loading={logs.isFetching}
                onClick={() => setSize({ q, index: pageSizes.indexOf(limit as 200) + 1 })}
              >
                Show older lines
              </Button>
            </div>
          )}
        </div>
      </div>
    </>
  );
}

function statusLine(
  shown: number | undefined,
  total: number | undefined,
  truncated: boolean | undefined,
  tail: Tail["state"],
): string {
  if (shown === undefined) return "Searching";
  if (tail === "open") return `Following new lines; ${plural(shown, "line")} from before.`;
  if (tail !== "off") return `${plural(shown, "line")} from before.`;
  if (truncated) {
    return total !== undefined && total > shown
      ? `${formatCount(total)} lines match; the newest ${formatCount(shown)} are shown.`
      : `The newest ${formatCount(shown)} lines are shown; there are more.`;
  }
  const text = `${plural(shown, "line")} ${shown === 1 ? "matches" : "match"}.`;
  return text.charAt(0).toUpperCase() + text.slice(1);
}

function TailState({ tail }: { tail: Tail }) {
  return (
    <div className="row small" role="status">
      {tail.state === "broken" && <span>No new lines: {tail.error?.message} It is tried again.</span>}
      {tail.state === "connecting" && <span>Connecting</span>}
      {tail.waiting > 0 && (
        <Button variant="light" onClick={tail.show}>
          Paused while you read: show {plural(tail.waiting, "new line")}
        </Button>
      )}
      {tail.dropped > 0 && (
        <span>{plural(tail.dropped, "line")} left out: they come faster than this page takes them.</span>
      )}
    </div>
  );
}

function NoLogs({ q, hints }: { q: string; hints?: string[] | null }) {
  if (q)
    return (
      <EmptyNote title="No line matches.">
        {hints?.length ? `${hints.join("; ")}.` : "Widen the time range, or take a term out of the filter."}
      </EmptyNote>
    );
  return (
    <EmptyNote
      title="No log line arrived in this time range."
      command={`export OTEL_EXPORTER_OTLP_ENDPOINT=http://${window.location.hostname}:4317\nexport OTEL_LOGS_EXPORTER=otlp`}
    >
      Send logs with any OpenTelemetry SDK or collector.
    </EmptyNote>
  );
}
