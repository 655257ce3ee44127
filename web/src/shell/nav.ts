import type { IconName } from "~/components/Icon";

export interface NavEntry {
  to: "/" | "/services" | "/query" | "/logs" | "/traces" | "/alerts" | "/incidents" | "/gate";
  label: string;
  icon: IconName;
  /** Typed after `g`. */
  key: string;
  /** Paths that belong to this entry besides its own. */
  also?: readonly string[];
}

export const navEntries: readonly NavEntry[] = [
  { to: "/", label: "Overview", icon: "overview", key: "o", also: ["/slos", "/backtest", "/reports"] },
  { to: "/services", label: "Services", icon: "services", key: "s", also: ["/catalog", "/runbooks"] },
  { to: "/query", label: "Metrics", icon: "metrics", key: "m" },
  { to: "/logs", label: "Logs", icon: "logs", key: "l" },
  { to: "/traces", label: "Traces", icon: "traces", key: "t" },
  { to: "/alerts", label: "Alerts", icon: "alerts", key: "a", also: ["/remedies", "/oncall"] },
  { to: "/incidents", label: "Incidents", icon: "incidents", key: "i" },
  { to: "/gate", label: "Gate", icon: "gate", key: "d" },
];

export function isCurrent(entry: NavEntry, path: string): boolean {
  if (entry.also?.some((other) => path.startsWith(other))) return true;
  return entry.to === "/" ? path === "/" : path === entry.to || path.startsWith(`${entry.to}/`);
}
