import { queryOptions } from "@tanstack/react-query";
import { get } from "~/api/client";
import type { TenantList, TenantUsage } from "~/api/types";
import type { Tone } from "~/components/StateMark";
import { formatFigure, noData } from "~/format/number";

export const tenantsQuery = queryOptions({
  queryKey: ["tenants"],
  queryFn: ({ signal }) => get<TenantList>("/sb/v1/tenants", {}, signal),
  refetchInterval: 30_000,
});

export function diskOf(one: TenantUsage): number {
  return Object.values(one.disk_bytes).reduce((sum, bytes) => sum + bytes, 0);
}

const partNames: Record<string, string> = {
  samples: "samples",
  events: "logs and spans",
  state: "state",
  secrets: "secrets",
};

/** What Signalbox itself has encrypted of the data; a volume below may do more, which it does not know. */
export function encryptedOf(one: TenantUsage): string {
  const parts = one.at_rest.filter((part) => part.encrypted_by.length > 0);
  if (parts.length === 0) return "nothing";
  const partly = parts.filter((part) => part.partly && !part.encrypted_by.includes("storage.encrypt"));
  if (parts.length === one.at_rest.length && partly.length === 0) return "everything";
  const name = (part: (typeof parts)[number]) => partNames[part.part] ?? part.part;
  return parts.map((part) => (partly.includes(part) ? `${name(part)} (not all yet)` : name(part))).join(", ");
}

/** A limit that is used to this share is near. */
const near = 0.8;

interface Used {
  what: string;
  share: number;
}

/** How much of each limit is used, most first. A limit of 0 is none. */
export function usedOf(one: TenantUsage): Used[] {
  const share = (what: string, now: number, most: number) => (most > 0 ? [{ what, share: now / most }] : []);
  return [
    ...share("series", one.active_series, one.limits.max_series),
    ...share("disk", diskOf(one), one.limits.max_disk_bytes),
    ...one.turns.flatMap((t) => share(t.kind, t.now + t.waiting, t.most)),
  ].sort((a, b) => b.share - a.share);
}

export function isNear(one: TenantUsage): boolean {
  return (usedOf(one)[0]?.share ?? 0) >= near;
}

export function healthOf(one: TenantUsage): { tone: Tone; word: string } {
  if (!one.served) return { tone: "danger", word: "Not served" };
  const { critical, warnings } = one.problems;
  if (critical > 0) return { tone: "danger", word: `${critical} critical` };
  if (warnings > 0) return { tone: "caution", word: warnings === 1 ? "1 warning" : `${warnings} warnings` };
  return { tone: "ok", word: "Well" };
}

/** An hour is too short to speak of a day. */
const leastSeconds = 3600;

/** What came by day since it was opened; so far where that is not long enough. */
export function intakeOf(one: TenantUsage, now: number): string {
  const seconds = (now - Date.parse(one.since)) / 1000;
  const bytes = one.usage.received_bytes;
  if (seconds < leastSeconds) return `${formatFigure(bytes, "bytes")} so far`;
  return `${formatFigure((bytes / seconds) * 86_400, "bytes")} a day`;
}

export function nearText(one: TenantUsage): string {
  const used = usedOf(one).slice(0, 3);
  return used.map((u) => `${u.what} ${formatFigure(u.share, "ratio")}`).join(", ") || noData;
}
