import { Link } from "@tanstack/react-router";
import type { Edge, ServiceDetail } from "~/api/types";
import { type Column, DataTable } from "~/components/DataTable";
import { formatFigure } from "~/format/number";

function columns(end: "client" | "server"): Column<Edge>[] {
  return [
    {
      key: "service",
      head: "Service",
      full: true,
      cell: (edge) => (
        <span>
          {edge.hidden ? (
            <span className="dim">{edge[end]}</span>
          ) : (
            <Link to="/services/$name" params={{ name: edge[end] }} data-row>
              {edge[end]}
            </Link>
          )}{" "}
          {edge.kind === "queue" && <span className="dim">through a queue</span>}
        </span>
      ),
    },
    {
      key: "calls",
      head: "Calls",
      numeric: true,
      cell: (edge) => formatFigure(edge.hidden ? null : edge.calls, "count"),
    },
    {
      key: "errors",
      head: "Errors",
      numeric: true,
      cell: (edge) => formatFigure(edge.calls > 0 ? edge.errors / edge.calls : null, "ratio"),
    },
    {
      key: "mean",
      head: "Mean",
      numeric: true,
      cell: (edge) => formatFigure(edge.hidden ? null : edge.mean_seconds, "seconds"),
    },
  ];
}

const toServer = columns("server");
const toClient = columns("client");

/** Whom it calls and who calls it. */
export function Dependencies({ service }: { service: ServiceDetail }) {
  return (
    <div className="grid2">
      <section className="panel stack tight">
        <h2>Depends on</h2>
        {service.depends_on.length > 0 ? (
          <DataTable
            label="Depends on"
            rows={service.depends_on}
            columns={toServer}
            rowKey={(edge) => `${edge.server} ${edge.kind}`}
          />
        ) : (
          <p className="dim">{service.service} was not seen calling another service.</p>
        )}
      </section>
      <section className="panel stack tight">
        <h2>Used by</h2>
        {service.used_by.length > 0 ? (
          <DataTable
            label="Used by"
            rows={service.used_by}
            columns={toClient}
            rowKey={(edge) => `${edge.client} ${edge.kind}`}
          />
        ) : (
          <p className="dim">No other service was seen calling {service.service}.</p>
        )}
      </section>
    </div>
  );
}
