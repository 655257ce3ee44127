import { Drawer, Skeleton, useComputedColorScheme } from "@mantine/core";
import { useMediaQuery } from "@mantine/hooks";
import { useQuery } from "@tanstack/react-query";
import { useNavigate, useParams, useSearch } from "@tanstack/react-router";
import { useCallback, useMemo, useState } from "react";
import { traceQuery } from "~/api/queries";
import type { TraceDetail } from "~/api/types";
import { inkOf, readInk } from "~/chart/palette";
import { Answer } from "~/components/Answer";
import { CopyMenu } from "~/components/CopyMenu";
import { asCurl } from "~/components/clipboard";
import { EmptyNote } from "~/components/EmptyNote";
import { PageHead } from "~/components/PageHead";
import { When } from "~/components/When";
import { plural } from "~/format/number";
import { ancestorsOf, layoutTrace, matchesSpan, visibleRows } from "./layout";
import { SpanDetails } from "./SpanDetails";
import { TraceLogs } from "./TraceLogs";
import classes from "./TracePage.module.css";
import { TraceTools } from "./TraceTools";
import { Waterfall } from "./Waterfall";

/** Where did the time go? */
export function TracePage() {
  const { id } = useParams({ from: "/traces/$id" });
  const query = useQuery(traceQuery(id));
  const trace = query.data;
  const failed = trace?.spans.some((span) => span.status === "error");
  return (
    <>
      <PageHead
        title={`Trace ${id.slice(0, 8)}`}
        answer={trace?.summary ?? (query.error ? "This trace cannot be shown." : "Reading the trace")}
        tone={trace ? (failed ? "danger" : "ok") : undefined}
        actions={
          <CopyMenu
            items={[
              { label: "Copy trace id", text: () => id },
              { label: "Copy as curl", text: () => asCurl(`/sb/v1/traces/${id}`) },
              { label: "Copy spans as JSON", text: () => JSON.stringify(trace?.spans ?? [], null, 2) },
            ]}
          />
        }
      >
        {trace && (
          <>
            {plural(trace.spans.length, "span")} in {plural(trace.services.length, "service")}, begun{" "}
            <When at={trace.start} ago />. <code>{trace.trace_id}</code>
          </>
        )}
      </PageHead>
      <Answer query={query} what="the trace" skeleton={<Skeleton height={480} radius={8} />}>
        {(data) =>
          data.spans.length > 0 ? (
            <TraceBody key={data.trace_id} trace={data} />
          ) : (
            <EmptyNote title="No span of this trace is here.">
              It may be older than the retention, or its spans are still on their way.
            </EmptyNote>
          )
        }
      </Answer>
    </>
  );
}

function TraceBody({ trace }: { trace: TraceDetail }) {
  const { span: selected } = useSearch({ strict: false });
  const navigate = useNavigate();
  const wide = useMediaQuery("(min-width: 1100px)", true, { getInitialValueInEffect: false });
  const scheme = useComputedColorScheme("light");
  const layout = useMemo(() => layoutTrace(trace.spans), [trace]);
  const [collapsed, setCollapsed] = useState<ReadonlySet<string>>(new Set());
  const [find, setFind] = useState("");
  const [focus, setFocus] = useState<string | undefined>(selected);

  const colors = useMemo(() => {
    const ink = readInk(scheme);
    return new Map(layout.services.map((service, index) => [service, inkOf(ink, index)]));
  }, [layout, scheme]);
  const found = useMemo(() => {
    const text = find.trim();
    if (text === "") return undefined;
    return layout.rows.filter((row) => matchesSpan(row.span, text)).map((row) => row.span.span_id);
  }, [layout, find]);
  const matches = useMemo(() => (found ? new Set(found) : undefined), [found]);
  const rows = useMemo(() => visibleRows(layout.rows, collapsed), [layout, collapsed]);
  const current = layout.rows.find((row) => row.span.span_id === selected);

  const select = useCallback(
    (spanId: string | undefined) =>
      void navigate({
        to: ".",
        search: (old) => ({ ...old, span: spanId }),
        replace: true,
        resetScroll: false,
      }),
    [navigate],
  );
  const toggle = useCallback((spanId: string) => {
    setCollapsed((old) => {
      const next = new Set(old);
      if (!next.delete(spanId)) next.add(spanId);
      return next;
    });
  }, []);
  const goTo = (spanId: string) => {
    const hidden = ancestorsOf(layout.rows, spanId);
    setCollapsed((old) => new Set([...old].filter((id) => !hidden.includes(id))));
    setFocus(spanId);
    select(spanId);
  };

  return (
    <div className="stack">
      <TraceTools
        trace={trace}
        colors={colors}
        find={find}
        onFind={setFind}
        found={found}
        current={selected}
        onGo={goTo}
        folded={collapsed.size > 0}
        onFoldAll={() =>
          setCollapsed(
            collapsed.size > 0
              ? new Set()
              : new Set(
                  layout.rows
                    .filter((row) => row.depth >= 1 && row.descendants > 0)
                    .map((row) => row.span.span_id),
                ),
          )
        }
      />
      <div className={classes.split} data-open={Boolean(current && wide)}>
        <Waterfall
          rows={rows}
          totalMs={layout.totalMs}
          colors={colors}
          collapsed={collapsed}
          onToggle={toggle}
          selected={selected}
          onSelect={select}
          matches={matches}
          focus={focus}
        />
        {current && wide && (
          <aside className={classes.side}>
            <SpanDetails row={current} onClose={() => select(undefined)} />
          </aside>
        )}
      </div>
      {!wide && (
        <Drawer
          opened={Boolean(current)}
          onClose={() => select(undefined)}
          position="bottom"
          size="75%"
          withCloseButton={false}
          title={<span className="sr">Span</span>}
        >
          {current && <SpanDetails row={current} onClose={() => select(undefined)} />}
        </Drawer>
      )}
      <TraceLogs trace={trace} />
    </div>
  );
}
