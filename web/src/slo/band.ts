import type { SLOBand } from "~/api/types";
import type { Tone } from "~/components/StateMark";
import { formatRatio } from "~/format/number";

/** The bands, best first, as the gate names them. */
export const bands = ["normal", "caution", "critical-fixes-only", "freeze"] as const;
export type Band = (typeof bands)[number];

export const bandTone: Record<Band | "", Tone> = {
  normal: "ok",
  caution: "caution",
  "critical-fixes-only": "caution",
  freeze: "danger",
  "": "unknown",
};

export const bandWord: Record<Band | "", string> = {
  normal: "Normal",
  caution: "Caution",
  "critical-fixes-only": "Critical fixes only",
  freeze: "Frozen",
  "": "Not known",
};

/** `from 75 % used on, policy broker`: where a band begins and who says so. */
export function bandReason(band: SLOBand): string {
  const from = band.threshold > 0 ? `from ${formatRatio(band.threshold)} used on, ` : "";
  return `${from}policy ${band.policy}`;
}
