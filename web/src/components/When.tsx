import { formatDuration } from "~/format/duration";
import { formatDateTime, formatWhen } from "~/format/time";
import { useTimeRange } from "~/time/useTimeRange";

/** A moment: `14:02`, the exact time and how long ago on hover. */
export function When({ at, ago }: { at: string | number; ago?: boolean }) {
  const { zone } = useTimeRange();
  const ms = typeof at === "number" ? at : Date.parse(at);
  if (!Number.isFinite(ms) || ms <= 0) return <span>–</span>;
  const now = Date.now();
  const since = formatDuration(Math.max(0, Math.round((now - ms) / 1000)));
  return (
    <time dateTime={new Date(ms).toISOString()} title={`${formatDateTime(ms, zone)}, ${since} ago`}>
      <span className="nowrap">{formatWhen(ms, zone, now)}</span>
      {ago && (
        <>
          {" "}
          <span className="dim nowrap">({since} ago)</span>
        </>
      )}
    </time>
  );
}
