/**
 * The part of an answer that fits a headline, and the rest. Breaks only between sentences or at a semicolon,
 * so that the headline stays a whole statement; a colon announces what follows and ends nothing.
 */
export function splitAnswer(text: string, limit = 110): { head: string; rest: string } {
  if (text.length <= limit) return { head: text, rest: "" };
  const parts = text.split(/(?<=[.;])\s+/);
  let head = parts[0] ?? "";
  let at = 1;
  while (at < parts.length && `${head} ${parts[at]}`.length <= limit) head = `${head} ${parts[at++]}`;
  const rest = parts.slice(at).join(" ");
  return {
    head: rest ? head.replace(/;$/, ".") : head,
    rest: rest.charAt(0).toUpperCase() + rest.slice(1),
  };
}
