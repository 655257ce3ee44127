import classes from "./Shown.module.css";

const mark = /\[masked: ([a-z][a-z0-9_-]{0,62})(?: ([^\]]*))?\]/g;

/** Whether something in a text is masked for who looks at it. */
export function isMasked(text: string): boolean {
  return text.search(mark) >= 0;
}

/** A text; what of it is masked can be told from the rest. */
export function Shown({ text }: { text: string }) {
  if (!text.includes("[masked: ")) return text;
  const out = [];
  let done = 0;
  for (const found of text.matchAll(mark)) {
    const [whole, rule, rest] = found;
    out.push(
      text.slice(done, found.index),
      <span
        key={found.index}
        className={classes.masked}
        title={`Masked for you by the rule ${rule}. The permission that lifts it stands in masking.rules; administrators give it by a role.`}
      >
        masked: {rule}
        {rest && ` ${rest}`}
      </span>,
    );
    done = found.index + whole.length;
  }
  out.push(text.slice(done));
  return <>{out}</>;
}
