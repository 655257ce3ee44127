import { Button, Select, Switch, TextInput } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { Link, useNavigate, useSearch } from "@tanstack/react-router";
import { useMemo } from "react";
import { save } from "~/api/client";
import { reviewQuery } from "~/api/identity";
import type { AccessReview } from "~/api/types";
import { Answer } from "~/components/Answer";
import { EmptyNote } from "~/components/EmptyNote";
import { PageHead } from "~/components/PageHead";
import { PartialNote } from "~/components/PartialNote";
import { type SortColumn, SortedTable } from "~/components/SortedTable";
import { When } from "~/components/When";
import { formatCount } from "~/format/number";
import { formatSpan } from "~/format/time";
import type { AppSearch } from "~/shell/search";
import { useTimeRange } from "~/time/useTimeRange";
import { MayCell, NameCell, OfCell, ProposedCell } from "./HolderCells";
import {
  filterRows,
  kinds,
  nameOf,
  quarters,
  type ReviewRow,
  reviewAnswer,
  reviewSheet,
  rowsOf,
} from "./review";

const columns: SortColumn<ReviewRow>[] = [
  {
    key: "name",
    head: "Who",
    full: true,
    by: ({ holder }) => nameOf(holder),
    cell: ({ holder }) => <NameCell holder={holder} />,
  },
  { key: "may", head: "May", full: true, cell: ({ holder }) => <MayCell holder={holder} /> },
  {
    key: "of",
    head: "Of",
    cell: ({ holder }) => (holder.kind === "role" ? null : <OfCell holder={holder} />),
  },
  {
    key: "last",
    head: "Last used",
    by: ({ holder }) => (holder.last ? Date.parse(holder.last) : undefined),
    cell: ({ holder }) =>
      holder.last ? (
        <When at={holder.last} ago />
      ) : (
        <span className="dim">{holder.kind === "role" ? "–" : "not known"}</span>
      ),
  },
  {
    key: "proposed",
    head: "Proposed",
    full: true,
    by: (row) => row.proposals.map((one) => one.text).join(" ") || undefined,
    cell: (row) => <ProposedCell row={row} />,
  },
];

/** Who may what, did they use it, and what should be taken from them? */
export function ReviewPage() {
  const search = useSearch({ strict: false });
  const { zone } = useTimeRange();
  const query = useQuery(reviewQuery(search.period));
  const review = query.data;
  const rows = useMemo(() => (review ? rowsOf(review) : []), [review]);
  const shown = filterRows(rows, {
    text: search.text,
    kind: search.kind,
    proposed: search.state === "proposed",
  });
  const off = review && !review.authentication;
  return (
    <>
      <PageHead
        title="Access review"
        answer={reviewAnswer(review, Boolean(query.error))}
        tone={review ? (off ? "danger" : review.proposals.length > 0 ? "caution" : "ok") : undefined}
        actions={
          review &&
          !off && (
            <Button
              variant="default"
              onClick={() =>
                save(
                  new Blob([reviewSheet(review, shown)], { type: "text/csv" }),
                  `access-review-${search.period ?? review.until.slice(0, 10)}.csv`,
                )
              }
            >
              Save as CSV
            </Button>
          )
        }
      >
        {review && !off && <>{formatSpan(Date.parse(review.from), Date.parse(review.until), zone)}. </>}
        It changes nothing. <Link to="/admin">Users and roles</Link>
      </PageHead>
      <Answer query={query} what="the access review" height={400}>
        {(data) => (data.authentication ? <Holders review={data} rows={rows} shown={shown} /> : <Off />)}
      </Answer>
    </>
  );
}

function Off() {
  return (
    <EmptyNote title="Nobody is asked who they are." command={"auth:\n  enabled: true"}>
      There is nothing to review before authentication is on; the first start then prints a link for the first
      administrator.
    </EmptyNote>
  );
}

interface Props {
  review: AccessReview;
  rows: readonly ReviewRow[];
  shown: readonly ReviewRow[];
}

function Holders({ review, rows, shown }: Props) {
  const search = useSearch({ strict: false });
  const navigate = useNavigate();
  const change = (to: Partial<AppSearch>) =>
    void navigate({ to: ".", search: (old) => ({ ...old, ...to }), replace: true, resetScroll: false });
  return (
    <div className="stack">
      <PartialNote messages={review.notes} />
      <section className="panel stack" aria-label="Who may what">
        <Filters search={search} onChange={change} />
        {shown.length > 0 ? (
          <>
            {shown.length < rows.length && (
              <p className="dim small">
                {formatCount(shown.length)} of {formatCount(rows.length)} are shown.
              </p>
            )}
            <SortedTable
              label="Access"
              rows={shown}
              columns={columns}
              rowKey={({ holder }) => `${holder.kind} ${holder.name}`}
              order={search.order}
              onOrder={(order) => change({ order })}
            />
          </>
        ) : (
          <EmptyNote title={rows.length > 0 ? "Nothing fits." : "Nobody may anything yet."}>
            {rows.length > 0
              ? "Take a word out of the filter, or choose every kind."
              : "Add users, or bind groups of your provider to roles in the section auth."}
          </EmptyNote>
        )}
      </section>
    </div>
  );
}

function Filters({ search, onChange }: { search: AppSearch; onChange: (to: Partial<AppSearch>) => void }) {
  const listed = quarters(Date.now());
  const period = search.period;
  return (
    <form
      className="row"
      style={{ alignItems: "flex-end" }}
      aria-label="Which rows"
      onSubmit={(event) => event.preventDefault()}
    >
      <TextInput
        label="With the words"
        placeholder="a name, a group, a tenant"
        data-search
        style={{ flex: "2 1 220px" }}
        value={search.text ?? ""}
        onChange={(event) => onChange({ text: event.currentTarget.value || undefined })}
      />
      <Select
        label="Kind"
        style={{ flex: "1 1 150px" }}
        data={[
          { value: "", label: "Every kind" },
          ...kinds.map((one) => ({ value: one.value, label: one.head })),
        ]}
        value={search.kind ?? ""}
        allowDeselect={false}
        onChange={(kind) => onChange({ kind: kind || undefined })}
      />
      <Select
        label="Period"
        style={{ flex: "1 1 150px" }}
        data={[
          { value: "", label: "Last 90 days" },
          ...(period && !listed.includes(period) ? [period] : []),
          ...listed,
        ]}
        value={period ?? ""}
        allowDeselect={false}
        onChange={(next) => onChange({ period: next || undefined })}
      />
      <Switch
        label="Only proposed removals"
        style={{ paddingBottom: 8 }}
        checked={search.state === "proposed"}
        onChange={(event) => onChange({ state: event.currentTarget.checked ? "proposed" : undefined })}
      />
    </form>
  );
}
