import type { ReportSLO } from "~/api/types";
import type { Tone } from "~/components/StateMark";
import { significant } from "~/format/duration";

type Kept = ReportSLO["verdict"];

export const keptTone: Record<Kept, Tone> = {
  met: "ok",
  on_track: "ok",
  at_risk: "caution",
  missed: "danger",
  unknown: "unknown",
};

export const keptWord: Record<Kept, string> = {
  met: "Kept",
  on_track: "On track",
  at_risk: "At risk",
  missed: "Missed",
  unknown: "Not known",
};

/** Minutes of full outage: `16.9 min`, `18 h 56 min`. */
export function formatMinutes(minutes: number): string {
  if (minutes < 0) return `−${formatMinutes(-minutes)}`;
  if (minutes < 100) return `${significant(minutes)} min`;
  const whole = Math.round(minutes);
  const rest = whole % 60;
  return `${Math.floor(whole / 60)} h${rest ? ` ${rest} min` : ""}`;
}

/** Percent, cut and never rounded up: 99.8999 % is not 99.9 %. A dash for null. */
export function formatAchieved(ratio: number | null | undefined): string {
  if (ratio === null || ratio === undefined) return "–";
  const percent = ratio * 100;
  const missing = 100 - percent;
  const decimals =
    missing <= 0 || percent < 99 ? 2 : Math.min(6, Math.max(2, 1 - Math.floor(Math.log10(missing))));
  const cut = Math.floor(percent * 10 ** decimals + 1e-6) / 10 ** decimals;
  return `${cut.toFixed(decimals).replace(/\.?0+$/, "")} %`;
}
