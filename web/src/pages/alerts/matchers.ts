import type { Matcher } from "~/api/types";

/** Matchers as Alertmanager writes them: `service="edge", region=~"eu-.*"`. */
export function matcherText(matchers: readonly Matcher[]): string {
  return matchers
    .map(({ name, value, isRegex, isEqual = true }) => {
      const operator = isEqual ? (isRegex ? "=~" : "=") : isRegex ? "!~" : "!=";
      return `${name}${operator}${JSON.stringify(value)}`;
    })
    .join(", ");
}

/** The inverse; throws with a sentence that says what is wrong. */
export function parseMatchers(text: string): Matcher[] {
  const out: Matcher[] = [];
  let rest = text
    .trim()
    .replace(/^\{|\}$/g, "")
    .trim();
  while (rest !== "") {
    const found = /^([a-zA-Z_:][\w:.]*)\s*(=~|!~|!=|=)\s*("(?:[^"\\]|\\.)*"|[^,\s]*)\s*(?:,\s*|$|\s+)/.exec(
      rest,
    );
    if (!found) throw new Error(`Cannot read “${rest}”: write label="value", separated by commas.`);
    const [whole, name = "", operator, raw = ""] = found;
    const value = raw.startsWith('"') ? unquote(raw) : raw;
    out.push({
      name,
      value,
      isRegex: operator === "=~" || operator === "!~",
      isEqual: operator === "=" || operator === "=~",
    });
    rest = rest.slice(whole.length);
  }
  if (out.length === 0) throw new Error("At least one matcher is needed.");
  if (out.every((matcher) => matcher.value === ""))
    throw new Error("At least one matcher must not match an empty value.");
  return out;
}

function unquote(raw: string): string {
  try {
    return JSON.parse(raw) as string;
  } catch {
    return raw.slice(1, -1);
  }
}

/** A label set from the URL as matchers, without the labels that only tell copies apart. */
export function matchersOfLabels(json: string | undefined): string {
  if (!json) return "";
  try {
    const labels = JSON.parse(json) as Record<string, string>;
    const skip = new Set(["instance", "long_window", "short_window", "severity", "job"]);
    return matcherText(
      Object.entries(labels)
        .filter(([name]) => !skip.has(name) && !name.startsWith("signalbox_"))
        .map(([name, value]) => ({ name, value: String(value), isRegex: false, isEqual: true })),
    );
  } catch {
    return "";
  }
}
