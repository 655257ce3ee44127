import type { Tone } from "~/components/StateMark";

/** Colour-blind-safe line colours, told apart by lightness too; a second round is dashed. */
const light = ["#2c50c7", "#b3560a", "#0a7a74", "#97398b", "#6c6a00", "#30343c", "#c2403a", "#4d86b5"];
const dark = ["#93aeff", "#f0a45d", "#5cc9be", "#e29bd8", "#d9d46c", "#c6c8ce", "#ff9182", "#8fc4ee"];

export interface Ink {
  text: string;
  dim: string;
  line: string;
  surface: string;
  accent: string;
  tones: Record<Tone, string>;
  series: readonly string[];
}

/** The colours for canvas drawing, read from the stylesheet in force. */
export function readInk(scheme: "light" | "dark"): Ink {
  const style = getComputedStyle(document.documentElement);
  const read = (name: string) => style.getPropertyValue(`--sb-${name}`).trim() || "#888888";
  return {
    text: read("text"),
    dim: read("dim"),
    line: read("line"),
    surface: read("surface"),
    accent: read("accent"),
    tones: {
      ok: read("fill-ok"),
      caution: read("fill-caution"),
      danger: read("fill-danger"),
      unknown: read("fill-unknown"),
    },
    series: scheme === "dark" ? dark : light,
  };
}

export function inkOf(ink: Ink, index: number, tone?: Tone | "accent"): string {
  if (tone === "accent") return ink.accent;
  if (tone) return ink.tones[tone];
  return ink.series[index % ink.series.length] ?? ink.accent;
}

export function dashOf(ink: Ink, index: number): number[] {
  return index >= ink.series.length ? [6, 3] : [];
}
