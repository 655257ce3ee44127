import type { Standing } from "~/api/types";
import { type Band, bands } from "~/slo/band";

export interface ServiceBand {
  service: string;
  band: Band | "";
  /** The SLO that puts the service there. */
  worst: Standing;
  promises: Standing[];
}

function severity(band: Band | ""): number {
  return band === "" ? -1 : bands.indexOf(band);
}

/** Each service in the strictest band of its SLOs, strictest first. */
export function byService(standings: readonly Standing[]): ServiceBand[] {
  const out = new Map<string, ServiceBand>();
  for (const one of standings) {
    const old = out.get(one.service);
    if (!old) {
      out.set(one.service, { service: one.service, band: one.band, worst: one, promises: [one] });
      continue;
    }
    old.promises.push(one);
    const stricter = severity(one.band) - severity(old.band);
    if (stricter > 0 || (stricter === 0 && (one.used_ratio ?? 0) > (old.worst.used_ratio ?? 0))) {
      old.band = one.band;
      old.worst = one;
    }
  }
  return [...out.values()].sort(
    (a, b) => severity(b.band) - severity(a.band) || a.service.localeCompare(b.service),
  );
}

function names(services: readonly ServiceBand[]): string {
  const list = services.map((one) => one.service);
  if (list.length > 3) return `${list.length} services`;
  return list.length < 2 ? (list[0] ?? "") : `${list.slice(0, -1).join(", ")} and ${list.at(-1)}`;
}

/** `edge is frozen until its budget recovers; layout is in caution.` */
export function bandSentence(services: readonly ServiceBand[]): string {
  if (services.length === 0) return "No SLO is written down, so no budget holds a deployment back.";
  const of = (band: Band) => services.filter((one) => one.band === band);
  const parts: string[] = [];
  const frozen = of("freeze");
  const critical = of("critical-fixes-only");
  const caution = of("caution");
  const are = (list: readonly unknown[]) => (list.length === 1 ? "is" : "are");
  if (frozen.length)
    parts.push(
      `${names(frozen)} ${are(frozen)} frozen until ${frozen.length === 1 ? "its budget recovers" : "their budgets recover"}`,
    );
  if (critical.length) parts.push(`${names(critical)} ${are(critical)} open to critical fixes only`);
  if (caution.length) parts.push(`${names(caution)} ${are(caution)} in caution`);
  if (parts.length === 0) {
    const known = of("normal").length;
    return known === 0
      ? "No budget is known yet, so the gate allows nothing on its word."
      : known === 1
        ? "The only service with a known budget is in the normal band."
        : `All ${known} services with a known budget are in the normal band.`;
  }
  const rest = of("normal").length;
  const text = parts.join("; ");
  return `${text}${rest ? `; ${rest === 1 ? "one other service is" : `the other ${rest} are`} in the normal band` : ""}.`;
}
