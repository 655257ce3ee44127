import { useQueryClient } from "@tanstack/react-query";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { type ReactNode, useCallback, useEffect, useMemo, useState } from "react";
import type { Zone } from "~/format/time";
import { isReading } from "./live";
import { parseRange, type RangeSearch, rangeSearch, resolveRange, type TimeRange } from "./range";
import { TimeRangeContext, type TimeRangeState } from "./useTimeRange";

const liveEveryMs = 5000;

/** Keeps the shared range: reads it from the URL, resolves `last …` against now, moves now in live mode. */
export function TimeRangeProvider({ children }: { children: ReactNode }) {
  const search = useSearch({ strict: false });
  const navigate = useNavigate();
  const queryClient = useQueryClient();
  const [now, setNow] = useState(() => Date.now());
  const [paused, setPaused] = useState(false);

  const { last, from, to } = search;
  const range = useMemo(() => parseRange({ last, from, to }), [last, from, to]);
  const live = search.live === "1" && range.kind === "last";
  const zone: Zone = search.tz === "utc" ? "utc" : "local";

  // A newly chosen "last …" starts at the moment of choosing.
  const [anchoredRange, setAnchoredRange] = useState(range);
  if (anchoredRange !== range) {
    setAnchoredRange(range);
    setNow(Date.now());
  }

  const patch = useCallback(
    (change: RangeSearch & { tz?: "utc" | undefined; live?: "1" | undefined }) =>
      navigate({ to: ".", search: (old) => ({ ...old, ...change }), replace: false }),
    [navigate],
  );
  const setRange = useCallback(
    (next: TimeRange) => {
      void patch({ ...rangeSearch(next), ...(next.kind === "absolute" ? { live: undefined } : {}) });
    },
    [patch],
  );
  const setZone = useCallback(
    (next: Zone) => void patch({ tz: next === "utc" ? "utc" : undefined }),
    [patch],
  );
  const setLive = useCallback((on: boolean) => void patch({ live: on ? "1" : undefined }), [patch]);
  const refresh = useCallback(() => {
    setNow(Date.now());
    void queryClient.invalidateQueries();
  }, [queryClient]);

  useEffect(() => {
    if (!live) return;
    const timer = setInterval(() => {
      const reading = isReading();
      setPaused(reading);
      if (!reading) setNow(Date.now());
    }, liveEveryMs);
    return () => clearInterval(timer);
  }, [live]);

  const value = useMemo<TimeRangeState>(
    () => ({
      range,
      resolved: resolveRange(range, now),
      now,
      zone,
      live,
      paused: live && paused,
      setRange,
      setZone,
      setLive,
      refresh,
    }),
    [range, now, zone, live, paused, setRange, setZone, setLive, refresh],
  );
  return <TimeRangeContext value={value}>{children}</TimeRangeContext>;
}
