import { quoteValue } from "~/filter/filter";

export interface Token {
  /** Where the word under the cursor begins and ends. */
  from: number;
  to: number;
  /** The field, when the cursor stands behind `field:`. */
  field?: string;
  /** What was typed of the field or the value. */
  typed: string;
}

/** The word under the cursor, for suggestions. */
export function tokenAt(query: string, cursor: number): Token {
  const before = query.slice(0, cursor);
  const from = Math.max(before.lastIndexOf(" "), before.lastIndexOf("(")) + 1;
  const after = query.slice(cursor).search(/[\s)]/);
  const to = after < 0 ? query.length : cursor + after;
  const word = query.slice(from, cursor);
  const colon = word.indexOf(":");
  if (colon < 0) return { from, to, typed: word };
  return { from, to, field: word.slice(0, colon), typed: word.slice(colon + 1).replace(/^["<>=]+/, "") };
}

/** The query with the word under the cursor replaced by a field or a value, and where the cursor goes. */
export function complete(query: string, token: Token, choice: string): { query: string; cursor: number } {
  const text = token.field === undefined ? `${choice}:` : `${token.field}:${quoteValue(choice)} `;
  const rest = query.slice(token.to).replace(/^ /, "");
  return { query: query.slice(0, token.from) + text + rest, cursor: token.from + text.length };
}

/** Fields whose names match what was typed, those that begin with it first. */
export function matchingFields(fields: readonly string[], typed: string, limit = 8): string[] {
  const wanted = typed.toLowerCase();
  const known = [...new Set(fields)];
  const starts = known.filter((field) => field.toLowerCase().startsWith(wanted));
  const inside = known.filter((field) => !starts.includes(field) && field.toLowerCase().includes(wanted));
  return [...starts, ...inside].slice(0, limit);
}
