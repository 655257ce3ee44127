import { useMediaQuery } from "@mantine/hooks";
import type { ReactNode } from "react";
import classes from "./PageHead.module.css";
import { Shown } from "./Shown";
import { Shape, type Tone } from "./StateMark";
import { splitAnswer } from "./splitAnswer";
import { useTitle } from "./useTitle";

interface Props {
  /** The page's name, for the window's title. */
  title: string;
  /** The answer to the page's question, in words: the first line of text. */
  answer: string;
  tone?: Tone | undefined;
  children?: ReactNode;
  actions?: ReactNode;
}

export function PageHead({ title, answer, tone, children, actions }: Props) {
  useTitle(title);
  const narrow = useMediaQuery("(max-width: 720px)");
  const { head, rest } = splitAnswer(answer, narrow ? 64 : 110);
  return (
    <header className={classes.head}>
      <div className={classes.words}>
        <h1 className={classes.answer}>
          {tone && (
            <span className={classes.shape}>
              <Shape tone={tone} size={18} />
            </span>
          )}
          <span>
            <Shown text={head} />
          </span>
        </h1>
        {rest && (
          <p className={classes.rest}>
            <Shown text={rest} />
          </p>
        )}
        {children && <div className={classes.sub}>{children}</div>}
      </div>
      {actions && <div className={classes.actions}>{actions}</div>}
    </header>
  );
}
