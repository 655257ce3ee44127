import { Link } from "@tanstack/react-router";
import type { ServiceSlice } from "~/api/types";
import { type Column, DataTable } from "~/components/DataTable";
import { buildFilter } from "~/filter/filter";
import { formatFigure } from "~/format/number";

interface Props {
  title: string;
  /** The field that narrows traces to a slice. */
  field: "version" | "region" | "name";
  slices: readonly ServiceSlice[];
  service: string;
}

/** The service by version, region or route: which one is different? */
export function Slices({ title, field, slices, service }: Props) {
  const columns: Column<ServiceSlice>[] = [
    {
      key: "value",
      head: title.slice(0, -1),
      full: true,
      cell: (slice) => (
        <Link to="/traces" search={{ q: buildFilter({ service, [field]: slice.value }) }} data-row>
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
