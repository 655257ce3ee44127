import { Link } from "@tanstack/react-router";
import type { ServiceSlice } from "~/api/types";
import { type Column, DataTable } from "~/components/DataTable";
import { buildFilter, term } from "~/filter/filter";
import { formatFigure } from "~/format/number";

interface Props {
  title: string;
  /** The fields of which one narrows spans to a slice. */
  fields: readonly string[];
  slices: readonly ServiceSlice[];
  service: string;
}

/** A route may be an attribute or the span's own name: either field may hold the value. */
function anyOf(fields: readonly string[], value: string): string {
  const terms = fields.map((field) => term(field, value));
  return terms.length === 1 ? (terms[0] ?? "") : `(${terms.join(" OR ")})`;
}

/** The service by version, region or route: which one is different? */
export function Slices({ title, fields, slices, service }: Props) {
  const columns: Column<ServiceSlice>[] = [
    {
      key: "value",
      head: title.slice(0, -1),
      full: true,
      cell: (slice) => (
        <Link
          to="/traces"
          search={{ q: `${buildFilter({ service })} ${anyOf(fields, slice.value)}` }}
          data-row
        >
          {slice.value || "not set"}
        </Link>
      ),
    },
    { key: "rate", head: "Requests", numeric: true, cell: (slice) => formatFigure(slice.rate, "per_second") },
    {
      key: "errors",
      head: "Errors",
      numeric: true,
      cell: (slice) => formatFigure(slice.error_ratio, "ratio"),
    },
    { key: "p95", head: "P95", numeric: true, cell: (slice) => formatFigure(slice.p95_seconds, "seconds") },
  ];
  return (
    <section className="panel stack tight">
      <h2>{title}</h2>
      {slices.length > 0 ? (
        <DataTable
          label={`${title} of ${service}`}
          rows={slices}
          columns={columns}
          rowKey={(slice) => slice.value}
        />
      ) : (
        <p className="dim">None was seen in this time range.</p>
      )}
    </section>
  );
}
