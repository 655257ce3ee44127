import { Link } from "@tanstack/react-router";
import type { AccessHolder } from "~/api/types";
import { Shape, StateMark } from "~/components/StateMark";
import { When } from "~/components/When";
import { grantText, kinds, nameOf, type ReviewRow } from "./review";

/** Who or what it is by which somebody may something. */
export function NameCell({ holder }: { holder: AccessHolder }) {
  const kind = kinds.find((one) => one.value === holder.kind)?.one ?? holder.kind;
  const about = [kind, ...(nameOf(holder) === holder.name || holder.kind === "user" ? [] : [holder.name])];
  if (holder.kind === "role" && holder.shown) about.push(holder.shown);
  return (
    <div style={{ minWidth: 150, overflowWrap: "anywhere" }}>
      {nameOf(holder)}
      <div className="dim small">
        {about.join(", ")}
        {holder.expires && (
          <>
            , expires <When at={holder.expires} />
          </>
        )}
      </div>
      {holder.disabled && <StateMark tone="unknown" word="Disabled" />}
    </div>
  );
}

/** What it gives; of a role of the configuration its permissions. */
export function MayCell({ holder }: { holder: AccessHolder }) {
  if (holder.kind === "role") return <OfCell holder={holder} />;
  if (holder.grants.length === 0) return <span className="dim">nothing</span>;
  return (
    <ul className="plain">
      {holder.grants.map((one) => (
        <li key={`${grantText(one)} ${one.by}`}>
          {grantText(one)}
          {holder.kind === "user" && <span className="dim small"> by {one.by}</span>}
        </li>
      ))}
    </ul>
  );
}

/** A user's groups, a binding's users and groups, a token's owner; and what was otherwise in the period. */
export function OfCell({ holder }: { holder: AccessHolder }) {
  return (
    <div style={{ minWidth: 120, overflowWrap: "anywhere" }}>
      {holder.of?.join(", ") || <span className="dim">{holder.kind === "user" ? "no group" : "nobody"}</span>}
      {holder.of_at && holder.of && (
        <span className="dim small">
          {" "}
          at the login of <When at={holder.of_at} />
        </span>
      )}
      {holder.was && (
        <div className="small">
          Otherwise at the login of <When at={holder.was.time} />: in{" "}
          {holder.was.groups.join(", ") || "no group"}, which gave {holder.was.grants.join("; ") || "nothing"}
          .
        </div>
      )}
    </div>
  );
}

/** What should be taken away, why, and where that is done. */
export function ProposedCell({ row }: { row: ReviewRow }) {
  if (row.proposals.length === 0) return null;
  const where = { user: undefined, token: "tokens", binding: "", role: "" }[row.holder.kind];
  return (
    <>
      {row.proposals.map((one) => (
        <div key={one.reason}>
          <Shape tone="caution" /> {sentence(one.text)}
        </div>
      ))}
      {where === "" ? (
        <span className="dim small">in the configuration, section auth</span>
      ) : (
        <Link to="/admin" search={where ? { tab: where } : {}} className="small">
          {where ? "All tokens" : "Users"}
        </Link>
      )}
    </>
  );
}

function sentence(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
