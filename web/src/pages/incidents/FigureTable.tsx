import { useQuery } from "@tanstack/react-query";
import { incidentFiguresQuery } from "~/api/incidents";
import type { IncidentFigures, IncidentMean } from "~/api/types";
import { Answer } from "~/components/Answer";
import { type Column, DataTable } from "~/components/DataTable";
import { meanWords } from "./incidents";

/** How long a period is. */
const days = 30;

interface Row {
  name: string;
  now: IncidentFigures;
  before: IncidentFigures | undefined;
}

type Which = "mttd" | "mtta" | "mttr";

function Mean({ mean, before }: { mean: IncidentMean | undefined; before: IncidentMean | undefined }) {
  const { value, note } = meanWords(mean);
  return (
    <>
      {value}
      <div className="dim small">{note}</div>
      {before && <div className="dim small">before: {meanWords(before).value}</div>}
    </>
  );
}

const mean = (key: Which, head: string): Column<Row> => ({
  key,
  head,
  numeric: true,
  cell: (row) => <Mean mean={row.now[key]} before={row.before?.[key]} />,
});

const columns: Column<Row>[] = [
  { key: "name", head: "Service", full: true, cell: (row) => row.name },
  {
    key: "count",
    head: "Incidents",
    numeric: true,
    cell: (row) => (
      <>
        {row.now.incidents}
        {row.before && <div className="dim small">before: {row.before.incidents}</div>}
      </>
    ),
  },
  mean("mttd", "MTTD"),
  mean("mtta", "MTTA"),
  mean("mttr", "MTTR"),
  {
    key: "left",
    head: "In no figure",
    full: true,
    cell: ({ now }) =>
      [
        now.unacknowledged > 0 ? `${now.unacknowledged} unacknowledged` : "",
        now.unrecovered > 0 ? `${now.unrecovered} still open` : "",
      ]
        .filter(Boolean)
        .join(", ") || "–",
  },
];

/** How quickly incidents are noticed, taken and ended, by service. */
export function FigureTable() {
  const query = useQuery(incidentFiguresQuery(days));
  return (
    <section className="panel stack tight">
      <h2>How quickly</h2>
      <p className="small dim">
        The last {days} days, and the {days} before. MTTD: from the start to the first page. MTTA: from the
        first page to the first acknowledgement or commander. MTTR: from the start until users did not feel it
        any more, without the paperwork until it is resolved.
      </p>
      <Answer query={query} what="the figures of incidents" height={120}>
        {({ periods }) => {
          const now = periods.at(-1);
          const before = periods.at(-2);
          if (!now || now.all.incidents === 0) {
            return <p className="dim">There was no incident in the last {days} days.</p>;
          }
          const rows = [
            { name: "All together", now: now.all, before: before?.all },
            ...now.services.map((one) => ({
              name: one.service ?? "",
              now: one,
              before: before?.services.find((other) => other.service === one.service),
            })),
          ];
          return (
            <DataTable label="Figures by service" rows={rows} columns={columns} rowKey={(row) => row.name} />
          );
        }}
      </Answer>
    </section>
  );
}
