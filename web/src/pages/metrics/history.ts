const key = "signalbox.promql.history";
const keepAtMost = 40;

/** The queries this browser ran, newest first. */
export function readHistory(): string[] {
  try {
    const parsed: unknown = JSON.parse(localStorage.getItem(key) ?? "[]");
    return Array.isArray(parsed) ? parsed.filter((item): item is string => typeof item === "string") : [];
  } catch {
    return [];
  }
}

export function remember(expr: string) {
  const trimmed = expr.trim();
  if (trimmed === "") return;
  try {
    const next = [trimmed, ...readHistory().filter((item) => item !== trimmed)].slice(0, keepAtMost);
    localStorage.setItem(key, JSON.stringify(next));
  } catch {
    // Storage is refused: there is no history then.
  }
}
