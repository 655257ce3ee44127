import { type KeyboardEvent, memo } from "react";
import { Icon } from "~/components/Icon";
import { Shown } from "~/components/Shown";
import { Shape } from "~/components/StateMark";
import { formatDuration } from "~/format/duration";
import type { Row } from "./layout";
import classes from "./Waterfall.module.css";

interface Props {
  row: Row;
  totalMs: number;
  color: string;
  collapsed: boolean;
  selected: boolean;
  /** undefined: nothing is searched for. */
  match: boolean | undefined;
  onToggle: (spanId: string) => void;
  onSelect: (spanId: string) => void;
}

const deepest = 14;

/** One span: its name at its depth, its bar at its time. */
export const SpanRow = memo(function SpanRow({
  row,
  totalMs,
  color,
  collapsed,
  selected,
  match,
  onToggle,
  onSelect,
}: Props) {
  const { span, offset, duration, depth, descendants } = row;
  const total = totalMs || 1;
  const left = (offset / total) * 100;
  const width = (duration / total) * 100;
  const failed = span.status === "error";
  const text = formatDuration(duration / 1000);
  const place = left + width < 84 ? "after" : left > 12 ? "before" : "inside";
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key === "Enter" || event.key === " ") onSelect(span.span_id);
    else if (event.key === "ArrowLeft" && descendants > 0 && !collapsed) onToggle(span.span_id);
    else if (event.key === "ArrowRight" && descendants > 0 && collapsed) onToggle(span.span_id);
    else return;
    event.preventDefault();
  };
  return (
    <div
      className={classes.row}
      role="treeitem"
      tabIndex={0}
      data-row
      aria-level={depth + 1}
      aria-selected={selected}
      aria-expanded={descendants > 0 ? !collapsed : undefined}
      data-dim={match === false}
      onClick={() => onSelect(span.span_id)}
      onKeyDown={onKeyDown}
    >
      <div
        className={classes.name}
        style={{ paddingLeft: `calc(${Math.min(depth, deepest)} * var(--indent))` }}
      >
        {descendants > 0 ? (
          // Mouse only: the arrow keys fold from the keyboard.
          <span
            aria-hidden="true"
            className={classes.toggle}
            data-toggle
            onClick={(event) => {
              event.stopPropagation();
              onToggle(span.span_id);
            }}
          >
            <Icon name={collapsed ? "right" : "down"} size={12} />
          </span>
        ) : (
          <span className={classes.toggle} />
        )}
        {failed && (
          <>
            <Shape tone="danger" size={10} />
            <span className="sr">error</span>
          </>
        )}
        <span className={classes.service} style={{ borderColor: color }}>
          {span.service}
        </span>
        <span className={classes.operation}>
          <Shown text={span.name} />
        </span>
        {collapsed && <span className={classes.hidden}>+{descendants}</span>}
      </div>
      <div className={classes.lane}>
        <div
          className={classes.bar}
          style={{ left: `${left}%`, width: `max(${width}%, 2px)`, background: color }}
          data-failed={failed}
        />
        <span
          className={classes.duration}
          data-place={place}
          style={
            place === "after"
              ? { left: `${left + width}%` }
              : place === "before"
                ? { right: `${100 - left}%` }
                : { right: 0 }
          }
        >
          {text}
        </span>
      </div>
    </div>
  );
});
