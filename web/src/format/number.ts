import { formatDuration, significant } from "./duration";

/** What a figure counts. `ratio` is 0 to 1 and shown in percent; `factor` is shown as 14×. */
export type Unit = "ratio" | "seconds" | "bytes" | "per_second" | "count" | "factor" | "none";

/** What stands where there is no figure; the reason belongs beside it. */
export const noData = "–";

export type Figure = number | null | undefined;

function isFigure(value: Figure): value is number {
  return value !== null && value !== undefined && !Number.isNaN(value);
}

/** A figure with its unit, three significant digits, a dash for no data. */
export function formatFigure(value: Figure, unit: Unit): string {
  if (!isFigure(value)) return noData;
  if (!Number.isFinite(value)) return value > 0 ? "∞" : "−∞";
  const text = formatFinite(Math.abs(value), unit);
  return value < 0 && /[1-9]/.test(text) ? `−${text}` : text;
}

function formatFinite(value: number, unit: Unit): string {
  switch (unit) {
    case "ratio":
      return formatRatio(value);
    case "seconds":
      return formatDuration(value);
    case "bytes":
      return scaled(value, 1024, ["B", "KiB", "MiB", "GiB", "TiB", "PiB"]);
    case "per_second":
      return perSecond(value);
    case "factor":
      return `${significant(value)}×`;
    default:
      return shortCount(value);
  }
}

/** Percent; a share that is almost whole keeps the digits that tell it from 100 %. */
export function formatRatio(value: number): string {
  const percent = value * 100;
  if (percent > 99 && percent < 100) {
    const missing = 100 - percent;
    const decimals = Math.min(Math.max(1 - Math.floor(Math.log10(missing)), 1), 6);
    return `${trimZeros(percent.toFixed(decimals))} %`;
  }
  if (Math.abs(percent) >= 1000) return `${formatCount(percent)} %`;
  return `${significant(percent)} %`;
}

function trimZeros(text: string): string {
  return text.replace(/(\.\d*?)0+$/, "$1").replace(/\.$/, "");
}

function shortCount(value: number): string {
  return value < 10_000 ? significant(value) : scaled(value, 1000, ["", "k", "M", "G", "T", "P"]);
}

function perSecond(value: number): string {
  const text = shortCount(value);
  return /[a-z]$/i.test(text) ? `${text}/s` : `${text} /s`;
}

function scaled(value: number, base: number, names: readonly string[]): string {
  let index = 0;
  let rest = value;
  while (index < names.length - 1 && Number(rest.toPrecision(3)) >= base) {
    rest /= base;
    index++;
  }
  return `${significant(rest)} ${names[index] ?? ""}`.trim();
}

/** A whole number with thousands separators. */
export function formatCount(value: number): string {
  return Math.round(value).toLocaleString("en-US");
}

/** `1 trace`, `2 traces`, `no traces`. */
export function plural(count: number, one: string, many = `${one}s`): string {
  if (count === 0) return `no ${many}`;
  return `${formatCount(count)} ${count === 1 ? one : many}`;
}

/** The unit of a PromQL expression's answer where its names tell it, else none. */
export function axisUnit(expr: string): Unit {
  if (/\s\/\s/.test(expr)) return "none";
  if (/_quantile\s*\(/.test(expr)) return /_seconds_bucket|_seconds\b/.test(expr) ? "seconds" : "none";
  if (/_bytes(_total)?\b/.test(expr)) return "bytes";
  if (/_(count|bucket|total)\b/.test(expr)) return /\bi?rate\s*\(/.test(expr) ? "per_second" : "count";
  if (/timestamp_seconds|time_seconds/.test(expr)) return "none";
  if (/_seconds\b/.test(expr)) return "seconds";
  if (/_ratio\b/.test(expr)) return "ratio";
  return "none";
}
