import classes from "./Note.module.css";
import { StateMark } from "./StateMark";

/** The answer below is not whole: which part is missing. */
export function PartialNote({ messages }: { messages: readonly string[] }) {
  if (messages.length === 0) return null;
  return (
    <div className={classes.note} data-tone="caution" role="status">
      <StateMark tone="caution" word="This answer is not whole." />
      {messages.map((message) => (
        <p key={message} className={classes.text}>
          {message}
        </p>
      ))}
    </div>
  );
}
