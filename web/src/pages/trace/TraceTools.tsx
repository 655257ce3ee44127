import { ActionIcon, Button, TextInput } from "@mantine/core";
import { Link } from "@tanstack/react-router";
import type { KeyboardEvent } from "react";
import type { TraceDetail } from "~/api/types";
import { Icon } from "~/components/Icon";
import { plural } from "~/format/number";
import classes from "./TracePage.module.css";

interface Props {
  trace: TraceDetail;
  colors: ReadonlyMap<string, string>;
  find: string;
  onFind: (text: string) => void;
  /** Ids of the spans found, in reading order. */
  found: readonly string[] | undefined;
  current: string | undefined;
  onGo: (spanId: string) => void;
  folded: boolean;
  onFoldAll: () => void;
}

/** Who took part, a search within the trace, folding. */
export function TraceTools({ trace, colors, find, onFind, found, current, onGo, folded, onFoldAll }: Props) {
  const at = found && current ? found.indexOf(current) : -1;
  const go = (by: 1 | -1) => {
    if (!found || found.length === 0) return;
    const next = found[(at + by + found.length) % found.length];
    if (next) onGo(next);
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key === "Enter") go(event.shiftKey ? -1 : 1);
  };
  const failed = trace.spans.find((span) => span.status === "error");
  return (
    <div className={classes.tools}>
      <ul className={classes.services} aria-label="Services">
        {trace.services.map((one) => (
          <li key={one.service} style={{ borderColor: colors.get(one.service) }}>
            <Link to="/services/$name" params={{ name: one.service }}>
              {one.service}
            </Link>{" "}
            <span className="dim">
              {plural(one.spans, "span")}
              {one.errors > 0 && `, ${plural(one.errors, "error")}`}
            </span>
          </li>
        ))}
      </ul>
      <div className="row">
        <TextInput
          size="xs"
          placeholder="Find a span"
          aria-label="Find a span"
          value={find}
          data-search
          onChange={(event) => onFind(event.currentTarget.value)}
          onKeyDown={onKeyDown}
        />
        {found && (
          <>
            <span className="small" role="status">
              {at >= 0 ? `${at + 1} of ${found.length}` : plural(found.length, "span")}
            </span>
            <ActionIcon variant="default" aria-label="Previous found span" onClick={() => go(-1)}>
              <Icon name="left" size={14} />
            </ActionIcon>
            <ActionIcon variant="default" aria-label="Next found span" onClick={() => go(1)}>
              <Icon name="right" size={14} />
            </ActionIcon>
          </>
        )}
        {failed && (
          <Button variant="default" onClick={() => onGo(failed.span_id)}>
            First error
          </Button>
        )}
        <Button variant="default" onClick={onFoldAll}>
          {folded ? "Unfold all" : "Fold"}
        </Button>
      </div>
    </div>
  );
}
