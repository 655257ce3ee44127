import type { SLOBand } from "~/api/types";
import { StateMark } from "~/components/StateMark";
import { bandReason, bandTone, bandWord } from "./band";

/** What the budget policy allows now, as the gate decides it. */
export function BandMark({ band }: { band: SLOBand }) {
  return (
    <span title={`Gate: ${band.text}, ${bandReason(band)}`}>
      <StateMark tone={bandTone[band.name]} word={bandWord[band.name]} />
    </span>
  );
}

/** The same where the normal band goes without saying. */
export function BandNote({ band }: { band: SLOBand | undefined }) {
  return band && band.name !== "normal" ? <BandMark band={band} /> : null;
}
