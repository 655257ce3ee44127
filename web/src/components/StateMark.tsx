import classes from "./StateMark.module.css";

export type Tone = "ok" | "caution" | "danger" | "unknown";

const shapes: Record<Tone, string> = {
  ok: "M8 1.5a6.5 6.5 0 1 0 0 13 6.5 6.5 0 0 0 0-13z",
  caution: "M8 1.5 15 14H1z",
  danger: "M5 1h6l4 4v6l-4 4H5l-4-4V5z",
  unknown: "M8 1l7 7-7 7-7-7z",
};

/** A state as a shape and a word: circle ok, triangle caution, octagon danger, hollow diamond unknown. */
export function StateMark({ tone, word, size = 12 }: { tone: Tone; word: string; size?: number }) {
  return (
    <span className={classes.mark} data-tone={tone}>
      <Shape tone={tone} size={size} />
      {word}
    </span>
  );
}

export function Shape({ tone, size = 12 }: { tone: Tone; size?: number }) {
  const hollow = tone === "unknown";
  return (
    <svg
      width={size}
      height={size}
      viewBox="0 0 16 16"
      aria-hidden="true"
      className={classes.shape}
      data-tone={tone}
      fill={hollow ? "none" : "currentColor"}
      stroke="currentColor"
      strokeWidth={hollow ? 2 : 0}
    >
      <path d={shapes[tone]} />
    </svg>
  );
}
