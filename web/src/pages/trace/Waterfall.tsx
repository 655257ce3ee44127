import { useWindowVirtualizer } from "@tanstack/react-virtual";
import { type CSSProperties, useEffect, useMemo, useRef, useState } from "react";
import { formatDuration } from "~/format/duration";
import type { Row } from "./layout";
import { SpanRow } from "./SpanRow";
import classes from "./Waterfall.module.css";

interface Props {
  rows: readonly Row[];
  totalMs: number;
  colors: ReadonlyMap<string, string>;
  collapsed: ReadonlySet<string>;
  onToggle: (spanId: string) => void;
  selected: string | undefined;
  onSelect: (spanId: string) => void;
  matches: ReadonlySet<string> | undefined;
  /** Scrolled to when it changes. */
  focus: string | undefined;
}

const rowHeight = 28;

/** Three to five round times of the trace's length, in ms; the last leaves room for its label. */
export function roundTicks(totalMs: number): number[] {
  if (!(totalMs > 0)) return [0];
  const raw = totalMs / 4;
  const power = 10 ** Math.floor(Math.log10(raw));
  const step = ([1, 2, 2.5, 5, 10].find((one) => one * power >= raw) ?? 10) * power;
  const out: number[] = [];
  for (let at = 0; at * step <= totalMs * 0.93; at++) out.push(at * step);
  return out;
}

/** Spans as bars on one time axis; only the rows in sight are in the page. */
export function Waterfall({
  rows,
  totalMs,
  colors,
  collapsed,
  onToggle,
  selected,
  onSelect,
  matches,
  focus,
}: Props) {
  const ticks = roundTicks(totalMs);
  const host = useRef<HTMLDivElement>(null);
  const [margin, setMargin] = useState(0);
  useEffect(() => {
    const measure = () => {
      if (host.current) setMargin(host.current.getBoundingClientRect().top + window.scrollY);
    };
    measure();
    const observer = new ResizeObserver(measure);
    observer.observe(document.body);
    return () => observer.disconnect();
  }, []);
  const virtualizer = useWindowVirtualizer({
    count: rows.length,
    estimateSize: () => rowHeight,
    overscan: 20,
    scrollMargin: margin,
    getItemKey: (index) => rows[index]?.span.span_id ?? index,
  });
  const position = useMemo(() => rows.findIndex((row) => row.span.span_id === focus), [rows, focus]);
  // biome-ignore lint/correctness/useExhaustiveDependencies: only a new focus scrolls, not each layout.
  useEffect(() => {
    if (position >= 0) virtualizer.scrollToIndex(position, { align: "center" });
  }, [focus]);

  return (
    <div
      className={classes.waterfall}
      style={{ "--tick": `${((ticks[1] ?? totalMs) / totalMs) * 100}%` } as CSSProperties}
    >
      <div className={classes.axis} aria-hidden="true">
        <span>Span</span>
        <div className={classes.ticks}>
          {ticks.map((tick) => (
            <span key={tick} style={{ left: `${(tick / totalMs) * 100}%` }}>
              {formatDuration(tick / 1000)}
            </span>
          ))}
        </div>
      </div>
      <div
        ref={host}
        role="tree"
        aria-label="Spans"
        style={{ height: virtualizer.getTotalSize(), position: "relative" }}
      >
        {virtualizer.getVirtualItems().map((item) => {
          const row = rows[item.index];
          if (!row) return null;
          const id = row.span.span_id;
          return (
            <div
              key={item.key}
              role="presentation"
              className={classes.item}
              style={{
                height: rowHeight,
                transform: `translateY(${item.start - virtualizer.options.scrollMargin}px)`,
              }}
            >
              <SpanRow
                row={row}
                totalMs={totalMs}
                color={colors.get(row.span.service) ?? "var(--sb-accent)"}
                collapsed={collapsed.has(id)}
                selected={id === selected}
                match={matches ? matches.has(id) : undefined}
                onToggle={onToggle}
                onSelect={onSelect}
              />
            </div>
          );
        })}
      </div>
    </div>
  );
}
