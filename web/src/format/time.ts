export type Zone = "local" | "utc";

interface Parts {
  day: string;
  clock: string;
  seconds: string;
  millis: string;
}

const months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

function two(n: number): string {
  return String(n).padStart(2, "0");
}

function parts(ms: number, zone: Zone): Parts {
  const d = new Date(ms);
  const utc = zone === "utc";
  const month = months[utc ? d.getUTCMonth() : d.getMonth()] ?? "";
  return {
    day: `${utc ? d.getUTCDate() : d.getDate()} ${month}`,
    clock: `${two(utc ? d.getUTCHours() : d.getHours())}:${two(utc ? d.getUTCMinutes() : d.getMinutes())}`,
    seconds: two(utc ? d.getUTCSeconds() : d.getSeconds()),
    millis: String(utc ? d.getUTCMilliseconds() : d.getMilliseconds()).padStart(3, "0"),
  };
}

export function formatClock(ms: number, zone: Zone): string {
  const p = parts(ms, zone);
  return `${p.clock}:${p.seconds}`;
}

/** `14:02:03.120`, for log rows. */
export function formatClockMillis(ms: number, zone: Zone): string {
  const p = parts(ms, zone);
  return `${p.clock}:${p.seconds}.${p.millis}`;
}

export function formatDay(ms: number, zone: Zone): string {
  return parts(ms, zone).day;
}

/** `21 Nov 14:02:03`. */
export function formatDateTime(ms: number, zone: Zone): string {
  const p = parts(ms, zone);
  return `${p.day} ${p.clock}:${p.seconds}`;
}

/** `14:02` on the day of now, else `21 Nov 14:02`. */
export function formatWhen(ms: number, zone: Zone, now: number): string {
  const p = parts(ms, zone);
  return p.day === parts(now, zone).day && Math.abs(now - ms) < 86_400_000 ? p.clock : `${p.day} ${p.clock}`;
}

/** `21 Nov 13:00 – 14:00`; the second day is named only if it differs. */
export function formatSpan(from: number, to: number, zone: Zone): string {
  const a = parts(from, zone);
  const b = parts(to, zone);
  const end = a.day === b.day ? b.clock : `${b.day} ${b.clock}`;
  return `${a.day} ${a.clock} – ${end}`;
}

/** The value of an `<input type="datetime-local">` and back. */
export function toInputValue(ms: number, zone: Zone): string {
  const d = new Date(ms);
  const shifted = zone === "utc" ? d : new Date(ms - d.getTimezoneOffset() * 60_000);
  return shifted.toISOString().slice(0, 19);
}

export function fromInputValue(text: string, zone: Zone): number | undefined {
  if (text === "") return undefined;
  const ms = Date.parse(zone === "utc" ? `${text}Z` : text);
  return Number.isNaN(ms) ? undefined : ms;
}

/** `UTC` or `UTC+1`. */
export function zoneName(zone: Zone, ms: number): string {
  if (zone === "utc") return "UTC";
  const minutes = -new Date(ms).getTimezoneOffset();
  if (minutes === 0) return "UTC+0";
  const rest = Math.abs(minutes) % 60;
  const hours = Math.floor(Math.abs(minutes) / 60);
  return `UTC${minutes < 0 ? "−" : "+"}${hours}${rest ? `:${two(rest)}` : ""}`;
}
