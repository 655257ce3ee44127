import type { AccessHolder, AccessReview } from "~/api/types";
import { plural } from "~/format/number";
import { toSheet } from "~/format/sheet";

export interface ReviewRow {
  holder: AccessHolder;
  /** What should be taken from it, and why. */
  proposals: AccessReview["proposals"];
}

export const kinds = [
  { value: "user", one: "user", head: "Users" },
  { value: "binding", one: "binding", head: "Bindings" },
  { value: "token", one: "token", head: "Tokens" },
  { value: "role", one: "role of your own", head: "Roles of your own" },
] as const;

/** Each holder with what is proposed for it; those with a proposal first. */
export function rowsOf(review: AccessReview): ReviewRow[] {
  const rows = review.holders.map((holder) => ({
    holder,
    proposals: review.proposals.filter((one) => one.kind === holder.kind && one.name === holder.name),
  }));
  return [
    ...rows.filter((row) => row.proposals.length > 0),
    ...rows.filter((row) => row.proposals.length === 0),
  ];
}

/** How a holder is called on the screen. */
export function nameOf(holder: AccessHolder): string {
  if (holder.kind === "user") return holder.shown || holder.name.replace(/^user:/, "");
  return (holder.kind === "token" && holder.shown) || holder.name;
}

type Grant = AccessHolder["grants"][number];

export function grantText(grant: Grant): string {
  const tenants = grant.tenants.includes("*") ? "every tenant" : grant.tenants.join(", ");
  return `${grant.role} on ${tenants}${grant.namespaces?.length ? `, only ${grant.namespaces.join(", ")}` : ""}`;
}

export interface ReviewFilter {
  text?: string | undefined;
  kind?: string | undefined;
  /** Only what something is proposed for. */
  proposed: boolean;
}

export function filterRows(rows: readonly ReviewRow[], filter: ReviewFilter): ReviewRow[] {
  const words = (filter.text ?? "").toLowerCase().split(/\s+/).filter(Boolean);
  return rows.filter((row) => {
    if (filter.kind && row.holder.kind !== filter.kind) return false;
    if (filter.proposed && row.proposals.length === 0) return false;
    const text = textOf(row);
    return words.every((word) => text.includes(word));
  });
}

function textOf({ holder, proposals }: ReviewRow): string {
  return [
    holder.name,
    holder.shown,
    ...(holder.of ?? []),
    ...holder.grants.flatMap((one) => [grantText(one), one.by]),
    ...(holder.was?.groups ?? []),
    ...(holder.was?.grants ?? []),
    ...proposals.flatMap((one) => [one.reason, one.text]),
  ]
    .join(" ")
    .toLowerCase();
}

/** Who may something, and how much of it should go, in a sentence. */
export function reviewAnswer(review: AccessReview | undefined, failed: boolean): string {
  if (!review) return failed ? "It is not known who may what." : "Reading who may what";
  if (!review.authentication) return "Authentication is off: everybody may everything.";
  const count = (kind: string) => review.holders.filter((one) => one.kind === kind).length;
  const who = `${plural(count("user"), "user")} and ${plural(count("token"), "token")} have access`;
  const n = review.proposals.length;
  if (n === 0) return `${who}; nothing is proposed for removal.`;
  return `${who}; ${plural(n, "removal")} ${n === 1 ? "is" : "are"} proposed.`;
}

/** The columns of `signalbox audit review --format csv`. */
const heads = [
  "kind",
  "name",
  "shown",
  "of",
  "may",
  "disabled",
  "created",
  "expires",
  "last_used",
  "proposed",
  "reason",
  "period_start",
  "period_end",
  "of_at",
  "login_then",
  "groups_then",
  "might_then",
];

function mayText(holder: AccessHolder): string {
  return holder.grants
    .map((one) => `${one.role} on ${one.tenants.join("+")}/${one.namespaces?.join("+") || "*"}`)
    .join(", ");
}

/** As a table for a spreadsheet, one row for each that may something. */
export function reviewSheet(review: AccessReview, rows: readonly ReviewRow[]): string {
  const lines = rows.map(({ holder, proposals }) => [
    holder.kind,
    holder.name,
    holder.shown,
    holder.of?.join(", "),
    mayText(holder),
    String(holder.disabled ?? false),
    holder.created,
    holder.expires,
    holder.last,
    proposals.map((one) => one.reason).join(", "),
    proposals.map((one) => one.text).join("; "),
    review.from,
    review.until,
    holder.of_at,
    holder.was?.time,
    holder.was?.groups.join(", "),
    holder.was?.grants.join(", "),
  ]);
  return toSheet([heads, ...lines]);
}

/** This quarter and those before it, the newest first; the review counts them in UTC. */
export function quarters(now: number, count = 8): string[] {
  const date = new Date(now);
  let at = date.getUTCFullYear() * 4 + Math.floor(date.getUTCMonth() / 3);
  const out: string[] = [];
  while (out.length < count) {
    out.push(`${Math.floor(at / 4)}Q${(at % 4) + 1}`);
    at--;
  }
  return out;
}
