import { Button } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useState } from "react";
import { logsQuery, tracesQuery } from "~/api/queries";
import type { LogRecord, TraceRow } from "~/api/types";
import { PromChart } from "~/chart/PromChart";
import { Answer } from "~/components/Answer";
import { CopyButton } from "~/components/CopyButton";
import { type Column, DataTable } from "~/components/DataTable";
import { When } from "~/components/When";
import { formatDuration } from "~/format/duration";
import { useTimeRange } from "~/time/useTimeRange";

/** How many rows of an answer are shown in place. */
const shown = 10;

/** A query that runs where it stands, over the range of the page. */
export function RunQuery({ language, text }: { language: string; text: string }) {
  const [open, setOpen] = useState(false);
  return (
    <div className="stack tight">
      <pre tabIndex={0} style={{ overflowX: "auto" }}>
        {text}
      </pre>
      <div className="row small">
        <Button size="compact-sm" variant="light" aria-expanded={open} onClick={() => setOpen(!open)}>
          {open ? "Hide the answer" : "Run"}
        </Button>
        <CopyButton text={text} label="Copy the query" />
        {language === "promql" ? (
          <Link to="/query" search={{ expr: [text] }}>
            Open in Metrics
          </Link>
        ) : (
          <Link to={language === "logs" ? "/logs" : "/traces"} search={{ q: text }}>
            Open in {language === "logs" ? "Logs" : "Traces"}
          </Link>
        )}
      </div>
      {open && language === "promql" && (
        <PromChart title="Answer" unit="none" queries={[{ name: "", expr: text }]} height={200} />
      )}
      {open && language === "logs" && <Logs text={text} />}
      {open && language === "traces" && <Traces text={text} />}
    </div>
  );
}

const logColumns: Column<LogRecord>[] = [
  { key: "time", head: "Time", cell: (row) => <When at={row.timestamp} /> },
  { key: "service", head: "Service", cell: (row) => row.service },
  { key: "level", head: "Level", cell: (row) => row.level || "–" },
  { key: "message", head: "Message", full: true, cell: (row) => row.message },
];

function Logs({ text }: { text: string }) {
  const { resolved } = useTimeRange();
  const [range] = useState(resolved);
  const query = useQuery(logsQuery(text, range, shown));
  return (
    <Answer query={query} what="the log lines" height={160}>
      {({ logs }) =>
        logs.length > 0 ? (
          <DataTable
            label="Log lines"
            rows={logs}
            columns={logColumns}
            rowKey={(row) => row.timestamp + row.span_id + row.message}
          />
        ) : (
          <p className="dim">Nothing in this time range.</p>
        )
      }
    </Answer>
  );
}

const traceColumns: Column<TraceRow>[] = [
  { key: "time", head: "Time", cell: (row) => <When at={row.start} /> },
  {
    key: "name",
    head: "Trace",
    full: true,
    cell: (row) => (
      <Link to="/traces/$id" params={{ id: row.trace_id }}>
        {row.root_service} {row.root_name}
      </Link>
    ),
  },
  { key: "took", head: "Took", numeric: true, cell: (row) => formatDuration(row.duration_ns / 1e9) },
  { key: "errors", head: "Errors", numeric: true, cell: (row) => row.errors },
];

function Traces({ text }: { text: string }) {
  const { resolved } = useTimeRange();
  const [range] = useState(resolved);
  const query = useQuery(tracesQuery(text, range, shown, "newest"));
  return (
    <Answer query={query} what="the traces" height={160}>
      {({ traces }) =>
        traces.length > 0 ? (
          <DataTable label="Traces" rows={traces} columns={traceColumns} rowKey={(row) => row.trace_id} />
        ) : (
          <p className="dim">Nothing in this time range.</p>
        )
      }
    </Answer>
  );
}
