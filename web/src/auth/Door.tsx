import type { ReactNode } from "react";
import { useTitle } from "~/components/useTitle";
import classes from "./Door.module.css";

interface Props {
  title: string;
  says: ReactNode;
  children?: ReactNode;
}

/** The frame of the pages for who is not logged in: no rail, nothing but the one thing to do. */
export function Door({ title, says, children }: Props) {
  useTitle(title);
  return (
    <main className={classes.door}>
      <div className={classes.card}>
        <div className={classes.brand}>
          <img src="/favicon.svg" alt="" width={24} height={24} />
          <span>Signalbox</span>
          <span>{window.location.host}</span>
        </div>
        <header className={classes.words}>
          <h1>{title}</h1>
          <p>{says}</p>
        </header>
        {children}
      </div>
    </main>
  );
}

/** What stands between two ways to do the same. */
export function Or() {
  return <div className={classes.or}>or</div>;
}

export const doorForm = classes.form;
