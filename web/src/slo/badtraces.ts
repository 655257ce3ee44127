import type { SLOStatus } from "~/api/types";
import { buildFilter, quoteValue } from "~/filter/filter";
import { fieldsOf } from "./metricfields";
import { type Expression, type Matcher, readQuery, type Selector } from "./selector";
import { badFilter, sourceOf } from "./source";
import { statusFilter } from "./statuscodes";

/** A link to traces, and whether they are exactly the events that the SLO counts as bad. */
export interface BadTraces {
  q: string;
  exact: boolean;
  /** Bad because of their duration. */
  slow: boolean;
  /** Which traces they are: "failing", "slow", or nothing where all of the service are meant. */
  word?: "failing" | "slow";
}

/** The traces that spent the budget, or all of the service where no filter says which. */
export function badTraces(slo: SLOStatus): BadTraces {
  const q =
    sourceOf(slo) === "spans" ? badFilter(slo) : sourceOf(slo) === "promql" ? ofPromQL(slo) : undefined;
  if (!q) return { q: buildFilter({ service: slo.service }), exact: false, slow: false };
  const slow = /(^|[\s(])duration:/.test(q);
  return { q, exact: true, slow, word: slow ? "slow" : "failing" };
}

/** `Failing traces`, `Slow traces` or `Traces of the service`. */
export function tracesWords(traces: BadTraces): string {
  if (!traces.word) return "Traces of the service";
  return traces.word === "slow" ? "Slow traces" : "Failing traces";
}

function ofPromQL(slo: SLOStatus): string | undefined {
  const { bad, good, total, error } = slo.queries;
  const read = (query: string | undefined) => (query ? readQuery(query) : undefined);
  if (bad) return filterOf(read(bad), slo);
  if (!good && !total) return filterOf(badShare(read(error)), slo);
  const [all, well] = [read(total), read(good)];
  return all && well ? filterOf({ op: "-", left: all, right: well }, slo) : undefined;
}

/** What a share of errors counts: `bad / total` counts bad, `1 - good / total` total without good. */
function badShare(e: Expression | undefined): Expression | undefined {
  if (e?.op === "/") return e.left;
  if (e?.op !== "-" || e.left.op !== "number" || e.left.value !== 1 || e.right.op !== "/") return undefined;
  return { op: "-", left: e.right.right, right: e.right.left };
}

function filterOf(e: Expression | undefined, slo: SLOStatus): string | undefined {
  switch (e?.op) {
    case "selector":
      return terms(e.selector, slo)?.join(" ");
    case "+": {
      const [left, right] = [filterOf(e.left, slo), filterOf(e.right, slo)];
      return left && right ? `(${left}) OR (${right})` : undefined;
    }
    case "-":
      return difference(e.left, e.right, slo);
    default:
      return undefined;
  }
}

function difference(left: Expression, right: Expression, slo: SLOStatus): string | undefined {
  if (left.op === "selector" && right.op === "selector") {
    const [all, less] = [terms(left.selector, slo), terms(right.selector, slo)];
    if (!all || !less) return undefined;
    const own = less.filter((term) => !all.includes(term));
    // Nothing is left where both count the same.
    return own.length ? [...all, negated(own)].join(" ") : undefined;
  }
  const [all, less] = [filterOf(left, slo), filterOf(right, slo)];
  return all && less ? `(${all}) NOT (${less})` : undefined;
}

function negated(list: string[]): string {
  const [only = ""] = list;
  if (list.length > 1) return `NOT (${list.join(" ")})`;
  if (only.startsWith("-")) return only.slice(1);
  return only.startsWith("duration:<=") ? only.replace("<=", ">") : `-${only}`;
}

/** The filter's terms for what a selector counts; undefined if spans cannot tell. */
function terms(selector: Selector, slo: SLOStatus): string[] | undefined {
  const fields = fieldsOf(
    selector.metric,
    selector.matchers.map((m) => m.label),
  );
  if (!fields) return undefined;
  const out = fields.always ? [fields.always] : [];
  for (const m of selector.matchers) {
    const term = matcherTerm(m, fields, slo);
    if (term === undefined) return undefined;
    if (term && !out.includes(term)) out.push(term);
  }
  return out;
}

/** "" where the matcher leaves nothing out. */
function matcherTerm(m: Matcher, fields: NonNullable<ReturnType<typeof fieldsOf>>, slo: SLOStatus) {
  if (m.label === "le") return atMost(m, fields.unit);
  if (m.label === "job") return jobTerm(m, slo);
  const field = fields.labels[m.label];
  if (field === undefined || (m.op === "!~" && m.value === ".*")) return undefined;
  // A route that is no path may be a queue, a method or a span's name.
  if (m.label === "route" && fields.routeIsGuess && m.value && !/^[(^]*\//.test(m.value)) return undefined;
  if (fields.status === m.label && field === "status") return spanStatus(m);
  if (fields.status === m.label) return statusFilter(field, m) ?? textTerm(field, m);
  return textTerm(field, m);
}

/** `le="0.3"`, also as `le=~"1|1.0"`. */
function atMost(m: Matcher, unit: "s" | "ms"): string | undefined {
  if (m.op !== "=" && m.op !== "=~") return undefined;
  const [first = Number.NaN, ...others] = m.value
    .split("|")
    .map((v) => (v === "+Inf" ? Infinity : Number(v)));
  if (Number.isNaN(first) || others.some((v) => v !== first)) return undefined;
  if (first === Infinity) return "";
  const ms = Number((unit === "s" ? first * 1000 : first).toPrecision(12));
  return `duration:<=${ms >= 1000 ? `${ms / 1000}s` : `${ms}ms`}`;
}

/** The job is the service where it is named after it, as `namespace/service` or alone. */
function jobTerm(m: Matcher, slo: SLOStatus): string | undefined {
  if (m.op !== "=" || m.value.split("/").at(-1) !== slo.service) return undefined;
  return buildFilter({ service: slo.service });
}

/** Span metrics call every span "ok" that is no error. */
function spanStatus(m: Matcher): string | undefined {
  if (m.op !== "=" && m.op !== "!=") return undefined;
  if (m.value !== "error" && m.value !== "ok") return undefined;
  return (m.value === "error") === (m.op === "=") ? "status:error" : "-status:error";
}

function textTerm(field: string, m: Matcher): string {
  const minus = m.op.startsWith("!") ? "-" : "";
  if (m.value === "") return minus ? `${field}:*` : `-${field}:*`;
  if (m.op === "=" || m.op === "!=") return `${minus}${field}:${quoteValue(m.value)}`;
  if (m.value === ".*") return "";
  if (m.value === ".+") return `${minus}${field}:*`;
  const list = m.value.split("|");
  if (list.every((v) => /^[\w/-]+$/.test(v)))
    return `${minus}${field}:${list.length > 1 ? `(${list.map(quoteValue).join(" OR ")})` : list.map(quoteValue)[0]}`;
  return `${minus}${field}:/^(?:${m.value.replace(/\\.|\//gs, (c) => (c === "/" ? "\\/" : c))})$/`;
}
