import type { BacktestOutcome, BacktestResult } from "~/api/types";
import type { Tone } from "~/components/StateMark";
import { verdictTone, verdictWord } from "~/pages/gate/verdict";
import { alertsOf, isPage, type Side } from "./outcome";

/** Something that would have happened; `to` is absent for a moment. Unix ms. */
export interface Item {
  from: number;
  to?: number;
  tone: Tone;
  /** In a few words, for the line below the timeline. */
  words: string;
  /** The SLOs behind it. */
  slos: string[];
}

export interface Lane {
  kind: "pages" | "others" | "deploys";
  side: Side;
  items: Item[];
}

export const laneWord = { pages: "Pages", others: "Other notifications", deploys: "Deployments" } as const;

function lanesOf(set: BacktestOutcome): Lane[] {
  const notices = set.pages.map((page) => ({
    page: isPage(page),
    item: {
      from: Date.parse(page.start),
      to: page.end ? Date.parse(page.end) : Date.parse(page.start) + page.seconds * 1000,
      tone: (isPage(page) ? "danger" : page.severity === "warning" ? "caution" : "unknown") as Tone,
      words: `${page.receiver} (${[...new Set(page.alerts)].join(", ")})`,
      slos: [...new Set(alertsOf(page, set.alerts).flatMap((alert) => alert.slo ?? []))],
    },
  }));
  return [
    { kind: "pages", side: set.name, items: notices.filter((one) => one.page).map((one) => one.item) },
    { kind: "others", side: set.name, items: notices.filter((one) => !one.page).map((one) => one.item) },
    {
      kind: "deploys",
      side: set.name,
      items: set.deploys.map(({ deploy, verdict, reasons }) => ({
        from: Date.parse(deploy.time ?? ""),
        tone: verdictTone[verdict],
        words: `${deploy.service} ${deploy.version}: ${verdictWord[verdict].toLowerCase()}`,
        slos: [
          ...new Set(
            reasons.flatMap((reason) => (reason.verdict !== "allow" && reason.slo ? [reason.slo] : [])),
          ),
        ],
      })),
    },
  ];
}

/** The lanes of both sides, A's above B's of the same kind. */
export function lanes(result: BacktestResult): Lane[][] {
  const all = result.sets.flatMap(lanesOf);
  return (["pages", "others", "deploys"] as const).map((kind) => all.filter((lane) => lane.kind === kind));
}

/** What a lane shows at a moment; a deployment counts within `near` ms. */
export function itemsAt(lane: Lane, at: number, near: number): Item[] {
  return lane.items.filter((item) =>
    item.to === undefined ? Math.abs(item.from - at) <= near : item.from - near <= at && at <= item.to + near,
  );
}

/** Every moment at which something begins, for the arrow keys. */
export function moments(groups: readonly Lane[][]): number[] {
  return [...new Set(groups.flat().flatMap((lane) => lane.items.map((item) => item.from)))].sort(
    (a, b) => a - b,
  );
}
