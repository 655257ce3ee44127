import { formatDuration } from "~/format/duration";
import { formatDateTime, formatWhen } from "~/format/time";
import { useTimeRange } from "~/time/useTimeRange";

/** A moment: `14:02`, the exact time and how long ago, or in how long, on hover. */
export function When({ at, ago }: { at: string | number; ago?: boolean }) {
  const { zone } = useTimeRange();
  const ms = typeof at === "number" ? at : Date.parse(at);
  if (!Number.isFinite(ms) || ms <= 0) return <span>–</span>;
  const now = Date.now();
  const seconds = Math.round((now - ms) / 1000);
  const distance = seconds < 0 ? `in ${formatDuration(-seconds)}` : `${formatDuration(seconds)} ago`;
  return (
    <time dateTime={new Date(ms).toISOString()} title={`${formatDateTime(ms, zone)}, ${distance}`}>
      <span className="nowrap">{formatWhen(ms, zone, now)}</span>
      {ago && (
        <>
          {" "}
          <span className="dim nowrap">({distance})</span>
        </>
      )}
    </time>
  );
}
