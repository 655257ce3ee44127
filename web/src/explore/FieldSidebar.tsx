import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { ApiError } from "~/api/client";
import { fieldsQuery, type Signal, valuesQuery } from "~/api/queries";
import { ErrorNote } from "~/components/ErrorNote";
import { addTerm, removeTerm, termState } from "~/filter/filter";
import { formatFigure } from "~/format/number";
import { useTimeRange } from "~/time/useTimeRange";
import classes from "./FieldSidebar.module.css";

interface Props {
  kind: Signal;
  q: string;
  onQuery: (q: string) => void;
}

/** The page already says what is wrong with the filter. */
function isBadFilter(error: Error): boolean {
  return error instanceof ApiError && error.code === "bad_filter";
}

/** The fields of what matches; each opens to its most frequent values. */
export function FieldSidebar({ kind, q, onQuery }: Props) {
  const { resolved } = useTimeRange();
  const fields = useQuery({ ...fieldsQuery(kind, q, resolved), staleTime: 15_000 });
  const [find, setFind] = useState("");
  const wide = typeof window !== "undefined" && window.matchMedia("(min-width: 1100px)").matches;
  const shown = [...new Set(fields.data?.fields ?? [])].filter((field) =>
    field.toLowerCase().includes(find.toLowerCase()),
  );
  return (
    <details className={classes.side} open={wide}>
      <summary>Fields</summary>
      <input
        className={classes.find}
        type="search"
        placeholder="Find a field"
        aria-label="Find a field"
        value={find}
        onChange={(event) => setFind(event.currentTarget.value)}
      />
      {fields.error && !isBadFilter(fields.error) && (
        <ErrorNote what="the fields" error={fields.error} onRetry={() => void fields.refetch()} />
      )}
      <ul className={classes.fields}>
        {shown.slice(0, 80).map((field) => (
          <li key={field}>
            <Field kind={kind} field={field} q={q} onQuery={onQuery} />
          </li>
        ))}
      </ul>
      {fields.data && shown.length === 0 && <p className="dim small">No field.</p>}
    </details>
  );
}

function Field({ kind, field, q, onQuery }: Props & { field: string }) {
  const [open, setOpen] = useState(false);
  return (
    <>
      <button type="button" className={classes.field} aria-expanded={open} onClick={() => setOpen(!open)}>
        {field}
      </button>
      {open && <Values kind={kind} field={field} q={q} onQuery={onQuery} />}
    </>
  );
}

function Values({ kind, field, q, onQuery }: Props & { field: string }) {
  const { resolved } = useTimeRange();
  const values = useQuery(valuesQuery(kind, field, q, resolved));
  if (values.error) return <ErrorNote what={`values of ${field}`} error={values.error} />;
  const rows = values.data?.values ?? [];
  const most = Math.max(1, ...rows.map((row) => row.count));
  if (values.data && rows.length === 0) return <p className="dim small">No value in this time range.</p>;
  return (
    <ul className={classes.values}>
      {rows.map((row) => {
        const state = termState(q, field, row.value);
        return (
          <li key={row.value} className={classes.value}>
            <button
              type="button"
              className={classes.pick}
              aria-pressed={state === "in"}
              title={state === "in" ? "Remove from the filter" : `Only ${field} ${row.value}`}
              onClick={() =>
                onQuery(state === "in" ? removeTerm(q, field, row.value) : addTerm(q, field, row.value))
              }
            >
              <span className={classes.bar} style={{ width: `${(row.count / most) * 100}%` }} />
              <span className={classes.text}>{row.value || "not set"}</span>
              <span className={classes.count}>{formatFigure(row.count, "count")}</span>
            </button>
            <button
              type="button"
              className={classes.not}
              aria-pressed={state === "out"}
              aria-label={`Everything but ${field} ${row.value}`}
              title="Everything but this"
              onClick={() =>
                onQuery(
                  state === "out" ? removeTerm(q, field, row.value) : addTerm(q, field, row.value, true),
                )
              }
            >
              ≠
            </button>
          </li>
        );
      })}
    </ul>
  );
}
