import type uPlot from "uplot";
import type { ExemplarPoint, Marker, Shade, Threshold } from "./model";
import type { Ink } from "./palette";

const font = '11px system-ui, -apple-system, "Segoe UI", Roboto, sans-serif';

function prepare(u: uPlot): { ctx: CanvasRenderingContext2D; ratio: number } {
  const ratio = u.width > 0 ? u.ctx.canvas.width / u.width : 1;
  u.ctx.save();
  u.ctx.beginPath();
  u.ctx.rect(u.bbox.left, u.bbox.top, u.bbox.width, u.bbox.height);
  u.ctx.clip();
  u.ctx.textAlign = "left";
  u.ctx.textBaseline = "alphabetic";
  u.ctx.font = font.replace("11px", `${11 * ratio}px`);
  return { ctx: u.ctx, ratio };
}

function plate(ctx: CanvasRenderingContext2D, ink: Ink, text: string, x: number, y: number, ratio: number) {
  const width = ctx.measureText(text).width;
  ctx.fillStyle = ink.surface;
  ctx.globalAlpha = 0.85;
  ctx.fillRect(x - 2 * ratio, y - 11 * ratio, width + 4 * ratio, 14 * ratio);
  ctx.globalAlpha = 1;
  ctx.fillStyle = ink.text;
  ctx.fillText(text, x, y);
  return width;
}

/**
 * Dashed horizontal lines with their names at the left end, where the newest figures are not. Names of lines
 * that lie close together stand beside each other.
 */
export function drawThresholds(u: uPlot, thresholds: readonly Threshold[], ink: Ink) {
  const { ctx, ratio } = prepare(u);
  const { left, width, top } = u.bbox;
  const named: { y: number; end: number }[] = [];
  for (const threshold of thresholds) {
    const y = Math.round(u.valToPos(threshold.value, "y", true));
    ctx.strokeStyle = ink.tones[threshold.tone];
    ctx.lineWidth = 1.5 * ratio;
    ctx.setLineDash([5 * ratio, 4 * ratio]);
    ctx.beginPath();
    ctx.moveTo(left, y);
    ctx.lineTo(left + width, y);
    ctx.stroke();
    ctx.setLineDash([]);
    const above = y - 14 * ratio > top;
    const at = above ? y - 4 * ratio : y + 13 * ratio;
    const x = named
      .filter((one) => Math.abs(one.y - at) < 14 * ratio)
      .reduce((free, one) => Math.max(free, one.end + 10 * ratio), left + 6 * ratio);
    named.push({ y: at, end: x + plate(ctx, ink, threshold.label, x, at, ratio) });
  }
  ctx.restore();
}

/** Spans of time as a tint with edges and their name at the bottom, above the deployments' triangles. */
export function drawShades(u: uPlot, shades: readonly Shade[], ink: Ink) {
  const { ctx, ratio } = prepare(u);
  const { left, width, top, height } = u.bbox;
  for (const shade of shades) {
    const from = Math.max(left, Math.round(u.valToPos(shade.from, "x", true)));
    const to = Math.min(left + width, Math.round(u.valToPos(shade.to, "x", true)));
    if (to < left || from > left + width) continue;
    const wide = Math.max(to - from, 2 * ratio);
    ctx.fillStyle = ink.tones.unknown;
    ctx.globalAlpha = 0.22;
    ctx.fillRect(from, top, wide, height);
    ctx.globalAlpha = 1;
    ctx.fillRect(from, top, ratio, height);
    ctx.fillRect(from + wide - ratio, top, ratio, height);
    const textWidth = ctx.measureText(shade.label).width;
    const at = Math.max(left, Math.min(from + 3 * ratio, left + width - textWidth - 4 * ratio));
    plate(ctx, ink, shade.label, at, top + height - 12 * ratio, ratio);
  }
  ctx.restore();
}

/** Vertical lines with a triangle and the version; names that would overlap are left to the hover. */
export function drawMarkers(u: uPlot, markers: readonly Marker[], ink: Ink) {
  const { ctx, ratio } = prepare(u);
  const { left, width, top, height } = u.bbox;
  let freeFrom = left;
  for (const marker of [...markers].sort((a, b) => a.time - b.time)) {
    const x = Math.round(u.valToPos(marker.time, "x", true));
    if (x < left || x > left + width) continue;
    ctx.strokeStyle = ink.dim;
    ctx.lineWidth = ratio;
    ctx.setLineDash([2 * ratio, 3 * ratio]);
    ctx.beginPath();
    ctx.moveTo(x, top);
    ctx.lineTo(x, top + height);
    ctx.stroke();
    ctx.setLineDash([]);
    ctx.fillStyle = ink.text;
    ctx.beginPath();
    ctx.moveTo(x - 4 * ratio, top + height);
    ctx.lineTo(x + 4 * ratio, top + height);
    ctx.lineTo(x, top + height - 7 * ratio);
    ctx.fill();
    const textWidth = ctx.measureText(marker.label).width;
    const at = x + 4 * ratio + textWidth > left + width ? x - textWidth - 4 * ratio : x + 4 * ratio;
    if (at < freeFrom) continue;
    plate(ctx, ink, marker.label, at, top + 12 * ratio, ratio);
    freeFrom = at + textWidth + 6 * ratio;
  }
  ctx.restore();
}

/** Small diamonds; the one under the pointer is filled. */
export function drawExemplars(u: uPlot, points: readonly ExemplarPoint[], ink: Ink, active?: ExemplarPoint) {
  const { ctx, ratio } = prepare(u);
  for (const point of points) {
    const x = u.valToPos(point.time, "x", true);
    const y = exemplarY(u, point, true);
    const r = (point === active ? 6 : 4) * ratio;
    ctx.beginPath();
    ctx.moveTo(x, y - r);
    ctx.lineTo(x + r, y);
    ctx.lineTo(x, y + r);
    ctx.lineTo(x - r, y);
    ctx.closePath();
    ctx.fillStyle = point === active ? ink.accent : ink.surface;
    ctx.fill();
    ctx.strokeStyle = ink.accent;
    ctx.lineWidth = 1.25 * ratio;
    ctx.stroke();
  }
  ctx.restore();
}

/** An exemplar beyond the axis sits at its top, so that the outlier stays in sight. */
function exemplarY(u: uPlot, point: ExemplarPoint, canvas: boolean): number {
  const max = u.scales.y?.max ?? point.value;
  const y = u.valToPos(Math.min(point.value, max), "y", canvas);
  return canvas ? Math.max(y, u.bbox.top + 9) : Math.max(y, 6);
}

/** The exemplar within `reach` CSS pixels of the pointer. */
export function exemplarAt(
  u: uPlot,
  points: readonly ExemplarPoint[],
  left: number,
  top: number,
  reach = 10,
): ExemplarPoint | undefined {
  let best: ExemplarPoint | undefined;
  let bestDistance = reach;
  for (const point of points) {
    const distance = Math.hypot(u.valToPos(point.time, "x") - left, exemplarY(u, point, false) - top);
    if (distance <= bestDistance) {
      best = point;
      bestDistance = distance;
    }
  }
  return best;
}
