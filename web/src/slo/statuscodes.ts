import type { Matcher } from "./selector";

/**
 * A matcher of HTTP status codes as comparisons of numbers: `=~"5.."` is `:>=500`,
 * `=~"5..|429"` also the one code. Undefined for what is neither code nor class.
 */
export function statusFilter(field: string, m: Matcher): string | undefined {
  const minus = m.op.startsWith("!") ? "-" : "";
  const codes = m.op.endsWith("~") ? alternatives(m.value) : [m.value];
  const exact = codes.filter((code) => /^[1-9]\d\d$/.test(code)).map(String);
  const classes = new Set<number>();
  for (const code of codes.filter((one) => !exact.includes(one))) {
    const list = m.op.endsWith("~") ? classesOf(code) : undefined;
    if (!list) return undefined;
    for (const one of list) classes.add(one);
  }
  const parts = [...ranges(classes), ...exact.filter((code) => !classes.has(Number(code.charAt(0))))];
  if (parts.length === 1) return `${minus}${field}:${parts[0]}`;
  return `${minus}${field}:(${parts.join(" OR ")})`;
}

/** Splits at `|`, also within one pair of brackets around everything. */
function alternatives(regex: string): string[] {
  const inner = /^\^?\((?:\?:)?([^()]*)\)\$?$/.exec(regex)?.[1] ?? regex.replace(/^\^|\$$/g, "");
  return inner.split("|");
}

/** The hundreds that `5..`, `[45]\d\d`, `4[0-9]{2}` or `5.*` stand for. */
function classesOf(regex: string): number[] | undefined {
  const m =
    /^(?:([1-9])|\[([1-9]+)\]|\[([1-9])-([1-9])\])(?:\.[*+]|(?:\.|\\d|\[0-9\])(?:\{2\}|(?:\.|\\d|\[0-9\])))$/.exec(
      regex,
    );
  if (!m) return undefined;
  if (m[1]) return [Number(m[1])];
  if (m[2]) return [...m[2]].map(Number);
  const [from, to] = [Number(m[3]), Number(m[4])];
  return Array.from({ length: Math.max(0, to - from + 1) }, (_, i) => from + i);
}

/** Neighbours as one range; nothing is above the 5xx. */
function ranges(classes: Set<number>): string[] {
  const list = [...classes].sort((a, b) => a - b);
  const out: string[] = [];
  for (let i = 0; i < list.length; i++) {
    const from = list[i] ?? 0;
    let to = from;
    while (list[i + 1] === to + 1) to = list[++i] ?? to;
    out.push(to >= 5 ? `>=${from}00` : `(>=${from}00 <${to + 1}00)`);
  }
  return out;
}
