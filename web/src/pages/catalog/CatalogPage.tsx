import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { catalogGapsQuery, catalogQuery } from "~/api/handbook";
import type { CatalogEntry, CatalogGap } from "~/api/types";
import { Answer } from "~/components/Answer";
import { CopyMenu } from "~/components/CopyMenu";
import { asCurl } from "~/components/clipboard";
import { type Column, DataTable } from "~/components/DataTable";
import { EmptyNote } from "~/components/EmptyNote";
import { PageHead } from "~/components/PageHead";
import { StateMark } from "~/components/StateMark";

const columns: Column<CatalogEntry>[] = [
  {
    key: "service",
    head: "Service",
    full: true,
    cell: (one) => (
      <Link to="/services/$name" params={{ name: one.telemetry?.[0] ?? one.service }} data-row>
        {one.service}
      </Link>
    ),
  },
  {
    key: "team",
    head: "Team",
    cell: (one) => one.team || <StateMark tone="caution" word="nobody" />,
  },
  { key: "tier", head: "Tier", numeric: true, cell: (one) => one.tier ?? "–" },
  { key: "kind", head: "Kind", cell: (one) => one.kind },
  { key: "chat", head: "Chat", cell: (one) => one.contact.chat || "–" },
  {
    key: "links",
    head: "Runbooks",
    cell: (one) =>
      one.runbooks && one.runbooks.length > 0
        ? one.runbooks.map((book) => (
            <a key={book.url} href={book.url} style={{ display: "block" }}>
              {book.title}
            </a>
          ))
        : "–",
  },
  {
    key: "needs",
    head: "Depends on",
    cell: (one) => one.depends_on?.map((other) => other.service).join(", ") || "–",
  },
];

const gapColumns: Column<CatalogGap>[] = [
  { key: "service", head: "Service", full: true, cell: (gap) => gap.service },
  { key: "team", head: "Team", cell: (gap) => gap.team || "–" },
  { key: "what", head: "What is missing", cell: (gap) => gap.text },
  { key: "cure", head: "What to do", cell: (gap) => gap.cure },
];

/** What is there, whose is it, and what does it lack? */
export function CatalogPage() {
  const query = useQuery(catalogQuery);
  const gaps = useQuery(catalogGapsQuery);
  return (
    <>
      <PageHead
        title="Services and whose they are"
        answer={
          query.data?.summary ?? (query.error ? "The catalogue is not known." : "Reading the catalogue")
        }
        actions={
          <CopyMenu
            items={[
              { label: "Copy as curl", text: () => asCurl("/sb/v1/catalog") },
              { label: "Copy as command", text: () => "signalbox catalog gaps" },
            ]}
          />
        }
      >
        <span className="row">
          <Link to="/services">How they are</Link>
          <Link to="/runbooks">Runbooks</Link>
        </span>
      </PageHead>
      <Answer query={query} what="the catalogue" height={240}>
        {({ services }) =>
          services.length > 0 ? (
            <section className="panel">
              <DataTable
                label="Catalogue"
                rows={services}
                columns={columns}
                rowKey={(one) => `${one.service} ${one.namespace ?? ""}`}
              />
            </section>
          ) : (
            <EmptyNote
              title="The catalogue is empty."
              command={
                "# signalbox.yml\ncatalog_files: [catalog/*.yaml]\n\n# catalog/shop.yaml\nteams: [{name: web}]\nservices: [{name: checkout, team: web, tier: 1}]"
              }
            >
              Name files of services and teams, or Backstage's; or send telemetry.
            </EmptyNote>
          )
        }
      </Answer>
      <Answer query={gaps} what="the gaps" height={80}>
        {(data) => (
          <section className="panel stack tight">
            <h2>Gaps</h2>
            {data.gaps.length > 0 ? (
              <DataTable
                label="Gaps"
                rows={data.gaps}
                columns={gapColumns}
                rowKey={(gap) => `${gap.service} ${gap.namespace ?? ""} ${gap.gap}`}
              />
            ) : (
              <p>{data.summary}</p>
            )}
          </section>
        )}
      </Answer>
    </>
  );
}
