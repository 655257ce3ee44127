import { createContext, use } from "react";
import type { Zone } from "~/format/time";
import type { ResolvedRange, TimeRange } from "./range";

export interface TimeRangeState {
  range: TimeRange;
  /** The range at `now`, Unix ms; stable until the range, a refresh or live mode moves it. */
  resolved: ResolvedRange;
  now: number;
  zone: Zone;
  live: boolean;
  /** Live mode is on but waits because someone is reading. */
  paused: boolean;
  setRange: (range: TimeRange) => void;
  setZone: (zone: Zone) => void;
  setLive: (on: boolean) => void;
  refresh: () => void;
}

export const TimeRangeContext = createContext<TimeRangeState | null>(null);

export function useTimeRange(): TimeRangeState {
  const state = use(TimeRangeContext);
  if (!state) throw new Error("useTimeRange needs a TimeRangeProvider above it");
  return state;
}
