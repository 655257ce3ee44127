import { useWindowVirtualizer } from "@tanstack/react-virtual";
import { useEffect, useRef, useState } from "react";
import type { LogRecord } from "~/api/types";
import { LogRow } from "./LogRow";
import classes from "./LogRows.module.css";

interface Props {
  logs: readonly LogRecord[];
  q: string;
  onQuery: (q: string) => void;
}

/** What tells a line apart: two lines may share a time, a span and a text, so their count joins in. */
function keysOf(logs: readonly LogRecord[]): string[] {
  const seen = new Map<string, number>();
  return logs.map((log) => {
    const base = `${log.timestamp}|${log.span_id}|${log.message}`;
    const count = seen.get(base) ?? 0;
    seen.set(base, count + 1);
    return `${base}|${count}`;
  });
}

/** Only the lines in sight are in the page. */
export function LogRows({ logs, q, onQuery }: Props) {
  const list = useRef<HTMLDivElement>(null);
  const [open, setOpen] = useState<ReadonlySet<string>>(new Set());
  const [margin, setMargin] = useState(0);
  const keys = keysOf(logs);
  useEffect(() => {
    const measure = () => {
      if (list.current) setMargin(list.current.getBoundingClientRect().top + window.scrollY);
    };
    measure();
    const observer = new ResizeObserver(measure);
    observer.observe(document.body);
    return () => observer.disconnect();
  }, []);
  const virtualizer = useWindowVirtualizer({
    count: logs.length,
    estimateSize: () => 29,
    overscan: 24,
    scrollMargin: margin,
    getItemKey: (index) => keys[index] ?? index,
  });
  const toggle = (key: string) => {
    setOpen((old) => {
      const next = new Set(old);
      if (!next.delete(key)) next.add(key);
      return next;
    });
  };
  return (
    <div ref={list} className={classes.list} data-reading={open.size > 0} role="list" aria-label="Log lines">
      <div style={{ height: virtualizer.getTotalSize(), position: "relative" }}>
        {virtualizer.getVirtualItems().map((item) => {
          const log = logs[item.index];
          const key = keys[item.index];
          if (!log || key === undefined) return null;
          return (
            <div
              key={key}
              ref={virtualizer.measureElement}
              data-index={item.index}
              role="listitem"
              className={classes.item}
              style={{ transform: `translateY(${item.start - virtualizer.options.scrollMargin}px)` }}
            >
              <LogRow log={log} open={open.has(key)} onToggle={() => toggle(key)} q={q} onQuery={onQuery} />
            </div>
          );
        })}
      </div>
    </div>
  );
}
