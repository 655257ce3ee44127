import type { ReactNode } from "react";
import { CopyButton } from "./CopyButton";
import classes from "./Note.module.css";

interface Props {
  title: string;
  children?: ReactNode;
  /** A command that is the next step. */
  command?: string | undefined;
}

/** Nothing to show: says so, says what to do next. */
export function EmptyNote({ title, children, command }: Props) {
  return (
    <div className={classes.note}>
      <h3>{title}</h3>
      {children && <div className={classes.dim}>{children}</div>}
      {command && (
        <div className={classes.command}>
          <pre tabIndex={0}>{command}</pre>
          <CopyButton text={command} label="Copy the command" />
        </div>
      )}
    </div>
  );
}
