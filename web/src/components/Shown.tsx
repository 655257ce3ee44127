import { useMe } from "~/auth/me";
import classes from "./Shown.module.css";

const mark = /\[masked: ([a-z][a-z0-9_-]{0,62})(?: ([^\]]*))?\]/g;

/** Whether something in a text is masked for who looks at it. */
export function isMasked(text: string): boolean {
  return text.search(mark) >= 0;
}

/** A text; what of it is masked can be told from the rest. */
export function Shown({ text }: { text: string }) {
  return isMasked(text) ? <Masked text={text} /> : text;
}

function lifter(rule: string, permission: string | undefined): string {
  const by = permission ? `The permission ${permission} lifts it` : "A permission lifts it";
  return `Masked for you by the rule ${rule}. ${by}; administrators give it by a role.`;
}

function Masked({ text }: { text: string }) {
  const me = useMe();
  const out = [];
  let done = 0;
  for (const found of text.matchAll(mark)) {
    const [whole, rule, rest] = found;
    out.push(
      text.slice(done, found.index),
      <span
        key={found.index}
        className={classes.masked}
        title={lifter(rule ?? "", me?.masking?.[rule ?? ""])}
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
