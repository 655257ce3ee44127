/** Building the filter language of logs and spans: `service:edge status:error "connection reset"`. */

const plain = /^[\p{L}\p{N}_][\p{L}\p{N}_./@:+%-]*$/u;
const plainField = /^[\p{L}\p{N}_./@-]+$/u;
const words = new Set(["AND", "OR", "NOT"]);

/** A value as the filter language reads it back literally. */
export function quoteValue(value: string): string {
  return plain.test(value) && !words.has(value.toUpperCase()) ? value : quoted(value);
}

function quoted(text: string): string {
  return `"${text.replace(/\\/g, "\\\\").replace(/"/g, '\\"')}"`;
}

export function term(field: string, value: string): string {
  const name = plainField.test(field) ? field : quoted(field);
  return `${name}:${quoteValue(value)}`;
}

/** Terms for every defined, non-empty field, in the order given. */
export function buildFilter(fields: Record<string, string | undefined>): string {
  return Object.entries(fields)
    .filter((entry): entry is [string, string] => Boolean(entry[1]))
    .map(([field, value]) => term(field, value))
    .join(" ");
}

/** Splits at spaces outside quotes, brackets and regexes. */
export function splitTerms(query: string): string[] {
  const out: string[] = [];
  let current = "";
  let quote = "";
  let depth = 0;
  for (let i = 0; i < query.length; i++) {
    const c = query.charAt(i);
    if (quote) {
      current += c;
      if (c === "\\") current += query.charAt(++i);
      else if (c === quote) quote = "";
      continue;
    }
    if (c === '"' || (c === "/" && /(^|[:(\s])$/.test(current))) quote = c;
    if (c === "(") depth++;
    if (c === ")") depth = Math.max(0, depth - 1);
    if (/\s/.test(c) && depth === 0) {
      if (current) out.push(current);
      current = "";
    } else current += c;
  }
  if (current) out.push(current);
  return out;
}

function hasTopLevelOr(query: string): boolean {
  return splitTerms(query).includes("OR");
}

/** The query narrowed to a field's value, or to everything but it; toggles its opposite away. */
export function addTerm(query: string, field: string, value: string, exclude = false): string {
  const wanted = term(field, value);
  const cleaned = removeTerm(query, field, value);
  const base = hasTopLevelOr(cleaned) ? `(${cleaned})` : cleaned;
  return [base, exclude ? `NOT ${wanted}` : wanted].filter(Boolean).join(" ");
}

/** Takes `field:value` and `NOT field:value` out of the top level. */
export function removeTerm(query: string, field: string, value: string): string {
  const wanted = term(field, value);
  const terms = splitTerms(query);
  const out: string[] = [];
  for (let i = 0; i < terms.length; i++) {
    if (terms[i] === "NOT" && terms[i + 1] === wanted) i++;
    else if (terms[i] !== wanted) out.push(terms[i] ?? "");
  }
  return out.join(" ");
}

/** Whether the top level asks for the value, excludes it, or neither. */
export function termState(query: string, field: string, value: string): "in" | "out" | "none" {
  const wanted = term(field, value);
  const terms = splitTerms(query);
  const at = terms.indexOf(wanted);
  if (at < 0) return "none";
  return terms[at - 1] === "NOT" ? "out" : "in";
}

/** The value a plain top-level `field:value` asks for. */
export function fieldValue(query: string, field: string): string | undefined {
  const terms = splitTerms(query);
  const index = terms.findIndex((t, i) => t.startsWith(`${field}:`) && terms[i - 1] !== "NOT");
  const raw = terms[index]?.slice(field.length + 1);
  if (!raw || raw === "*" || /^[<>/(]/.test(raw)) return undefined;
  return raw.startsWith('"') ? raw.slice(1, -1).replace(/\\(.)/g, "$1") : raw;
}
