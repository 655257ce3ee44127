const minute = 60;
const hour = 3600;
const day = 86400;

/** Three significant digits without an exponent: 1234 → "1,230", 0.012345 → "0.0123". */
export function significant(value: number, digits = 3): string {
  if (value === 0) return "0";
  const magnitude = Math.floor(Math.log10(Math.abs(value)));
  const rounded = Number(value.toPrecision(digits));
  const decimals = Math.min(Math.max(digits - 1 - magnitude, 0), 12);
  return rounded.toLocaleString("en-US", { maximumFractionDigits: decimals });
}

/**
 * A duration in seconds as people say it: `812 ms`, `1.23 s`, `3 m 10 s`, `3 h 10 m`, `2 d 4 h`.
 * At most two units; below a minute three significant digits.
 */
export function formatDuration(seconds: number): string {
  if (!Number.isFinite(seconds)) return seconds > 0 ? "without end" : "–";
  if (seconds < 0) return `−${formatDuration(-seconds)}`;
  if (seconds === 0) return "0 s";
  if (seconds < 0.9995e-6) return `${significant(seconds * 1e9)} ns`;
  if (seconds < 0.9995e-3) return `${significant(seconds * 1e6)} µs`;
  if (seconds < 0.9995) return `${significant(seconds * 1e3)} ms`;
  if (seconds < 59.95) return `${significant(seconds)} s`;
  const whole = Math.round(seconds);
  if (whole < hour) return twoUnits(whole, minute, "m", 1, "s");
  const minutes = Math.round(whole / minute) * minute;
  if (minutes < day) return twoUnits(minutes, hour, "h", minute, "m");
  return twoUnits(Math.round(whole / hour) * hour, day, "d", hour, "h");
}

function twoUnits(value: number, big: number, bigName: string, small: number, smallName: string): string {
  const head = Math.floor(value / big);
  const tail = Math.floor((value % big) / small);
  return tail === 0 ? `${head} ${bigName}` : `${head} ${bigName} ${tail} ${smallName}`;
}

/** Every unit down to seconds: 12,096 s → `3 h 21 m 36 s`. For budgets, where the exact figure was agreed. */
export function formatDurationExact(seconds: number): string {
  if (seconds < 0) return `−${formatDurationExact(-seconds)}`;
  let rest = Math.round(seconds);
  const parts: string[] = [];
  for (const [size, name] of [
    [day, "d"],
    [hour, "h"],
    [minute, "m"],
    [1, "s"],
  ] as const) {
    const count = Math.floor(rest / size);
    rest -= count * size;
    if (count > 0) parts.push(`${count} ${name}`);
  }
  return parts.length > 0 ? parts.join(" ") : "0 s";
}

const calendarUnits: Record<string, { name: string; days: number }> = {
  M: { name: "month", days: 31 },
  Q: { name: "quarter", days: 92 },
  Y: { name: "year", days: 366 },
};

/** A calendar window, `1M`, `2Q`: months, quarters and years have no fixed length. */
function calendarOf(window: string): { count: number; name: string; days: number } | undefined {
  const [, count, unit = ""] = /^(\d+)([MQY])$/.exec(window.trim()) ?? [];
  const known = calendarUnits[unit];
  return count && known ? { count: Number(count), ...known } : undefined;
}

/** `28d` → `28 d`, `1h30m` → `1 h 30 m`, `1M` → `1 month`, `2Q` → `2 quarters`. */
export function formatWindow(window: string): string {
  const calendar = calendarOf(window);
  if (calendar) return `${calendar.count} ${calendar.name}${calendar.count === 1 ? "" : "s"}`;
  return window.replace(/(\d+(?:\.\d+)?)\s*([a-zµ]+)/g, "$1 $2 ").trim();
}

const spanUnits: Record<string, number> = { s: 1, m: minute, h: hour, d: day, w: 7 * day };

/** The seconds of a window; of a calendar window the longest it can be. Undefined where it is none. */
export function windowSeconds(window: string): number | undefined {
  const calendar = calendarOf(window);
  if (calendar) return calendar.count * calendar.days * day;
  const compact = window.replace(/\s+/g, "");
  if (!/^(\d+(?:\.\d+)?[smhdw])+$/.test(compact)) return undefined;
  let total = 0;
  for (const [, value, unit = "s"] of compact.matchAll(/(\d+(?:\.\d+)?)([smhdw])/g))
    total += Number(value) * (spanUnits[unit] ?? 0);
  return total > 0 ? total : undefined;
}
