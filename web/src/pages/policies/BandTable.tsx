import { Link } from "@tanstack/react-router";
import { type Column, DataTable } from "~/components/DataTable";
import { StateMark } from "~/components/StateMark";
import { When } from "~/components/When";
import { formatFigure } from "~/format/number";
import { bandTone, bandWord } from "~/slo/band";
import type { ServiceBand } from "./bands";

interface Props {
  services: readonly ServiceBand[];
  /** When each SLO's band alert began, by SLO. */
  since: ReadonlyMap<string, string>;
}

/** Each service with its band, since when, and the SLO that put it there. */
export function BandTable({ services, since }: Props) {
  const columns: Column<ServiceBand>[] = [
    {
      key: "service",
      head: "Service",
      full: true,
      cell: (row) => (
        <Link to="/services/$name" params={{ name: row.service }} data-row>
          {row.service}
        </Link>
      ),
    },
    {
      key: "band",
      head: "Band",
      cell: (row) => <StateMark tone={bandTone[row.band]} word={bandWord[row.band]} />,
    },
    {
      key: "since",
      head: "Since",
      cell: (row) => {
        const at = since.get(row.worst.slo);
        if (at) return <When at={at} ago />;
        return (
          <span className="dim">
            {row.band === "normal"
              ? "–"
              : row.band === ""
                ? "– (too little data)"
                : "– (no alert was raised)"}
          </span>
        );
      },
    },
    {
      key: "used",
      head: "Budget used",
      numeric: true,
      cell: (row) => formatFigure(row.worst.used_ratio, "ratio"),
    },
    {
      key: "slo",
      head: "By the SLO",
      cell: (row) => (
        <>
          <Link to="/slos/$name" params={{ name: row.worst.slo }}>
            {row.worst.slo}
          </Link>
          {row.promises.length > 1 && <span className="dim"> of {row.promises.length}</span>}
        </>
      ),
    },
    {
      key: "policy",
      head: "Policy",
      cell: (row) => row.worst.policy || <span className="dim">– (no band yet)</span>,
    },
    {
      key: "ask",
      head: "Deploy",
      cell: (row) => (
        <Link to="/gate" search={{ service: row.service }}>
          Ask the gate
        </Link>
      ),
    },
  ];
  return (
    <DataTable label="Services and bands" rows={services} columns={columns} rowKey={(row) => row.service} />
  );
}
