/** A small reader of PromQL: sums, differences and quotients of selectors, as the queries of SLOs are written. */

export interface Matcher {
  label: string;
  op: "=" | "!=" | "=~" | "!~";
  value: string;
}

export interface Selector {
  metric: string;
  matchers: Matcher[];
}

export type Expression =
  | { op: "selector"; selector: Selector }
  | { op: "number"; value: number }
  | { op: "+" | "-" | "/"; left: Expression; right: Expression };

/** What wraps a selector without changing which events it counts. */
const transparent = new Set(["sum", "rate", "irate", "increase", "delta", "last_over_time", "max_over_time"]);

const tokens =
  /\s*(?:#[^\n]*\n)?\s*("(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|`[^`]*`|[a-zA-Z_:][\w:]*|\d+(?:\.\d+)?|\[[^\]]*\]|=~|!~|!=|[={}(),+\-/]|\S)/y;

function split(query: string): string[] {
  const out: string[] = [];
  tokens.lastIndex = 0;
  for (let m = tokens.exec(query); m; m = tokens.exec(query)) out.push(m[1] ?? "");
  return out;
}

class Unreadable extends Error {}

/** The query's arithmetic, or nothing where it is more than sums of selectors. */
export function readQuery(query: string): Expression | undefined {
  try {
    return new Reader(split(query)).whole();
  } catch (error) {
    if (error instanceof Unreadable) return undefined;
    throw error;
  }
}

class Reader {
  private at = 0;
  constructor(private readonly list: string[]) {}

  whole(): Expression {
    const all = this.sum();
    if (this.at < this.list.length) throw new Unreadable();
    return all;
  }

  private peek(): string {
    return this.list[this.at] ?? "";
  }

  private next(): string {
    return this.list[this.at++] ?? "";
  }

  private expect(token: string) {
    if (this.next() !== token) throw new Unreadable();
  }

  private sum(): Expression {
    let left = this.quotient();
    for (let op = this.peek(); op === "+" || op === "-"; op = this.peek()) {
      this.next();
      left = { op, left, right: this.quotient() };
    }
    return left;
  }

  private quotient(): Expression {
    let left = this.operand();
    while (this.peek() === "/") {
      this.next();
      left = { op: "/", left, right: this.operand() };
    }
    return left;
  }

  private operand(): Expression {
    const token = this.next();
    if (token === "(") return this.bracketed();
    if (/^\d/.test(token)) return { op: "number", value: Number(token) };
    if (token === "{") return this.selector("");
    if (!/^[a-zA-Z_:]/.test(token)) throw new Unreadable();
    if (this.peek() !== "(" && !this.grouping()) return this.selector(token, this.peek() === "{");
    if (!transparent.has(token)) throw new Unreadable();
    this.groups();
    this.expect("(");
    const inner = this.bracketed();
    this.groups();
    return inner;
  }

  private bracketed(): Expression {
    const inner = this.sum();
    this.expect(")");
    return inner;
  }

  private grouping(): boolean {
    return this.peek() === "by" || this.peek() === "without";
  }

  private groups() {
    if (!this.grouping()) return;
    this.next();
    this.expect("(");
    while (this.peek() && this.peek() !== ")") this.next();
    this.expect(")");
  }

  private selector(metric: string, braces = true): Expression {
    const selector: Selector = { metric, matchers: [] };
    if (braces) {
      if (metric) this.expect("{");
      while (this.peek() !== "}") {
        selector.matchers.push(this.matcher());
        if (this.peek() === ",") this.next();
        else if (this.peek() !== "}") throw new Unreadable();
      }
      this.next();
    }
    if (this.peek().startsWith("[")) this.next();
    return { op: "selector", selector: named(selector) };
  }

  private matcher(): Matcher {
    const label = this.next();
    const op = this.next();
    const value = this.next();
    if (!/^["'`]/.test(value) || !["=", "!=", "=~", "!~"].includes(op)) throw new Unreadable();
    return { label: unquoted(label), op: op as Matcher["op"], value: unquoted(value) };
  }
}

/** `{__name__="x"}` is `x`. */
function named(selector: Selector): Selector {
  const name = selector.matchers.find((m) => m.label === "__name__" && m.op === "=");
  if (!name) return selector;
  return { metric: name.value, matchers: selector.matchers.filter((m) => m !== name) };
}

function unquoted(text: string): string {
  if (!/^["'`]/.test(text)) return text;
  const inner = text.slice(1, -1);
  return text.startsWith("`") ? inner : inner.replace(/\\(.)/g, "$1");
}
