import { useEffect } from "react";

/** The window's title, which is also what history and tabs show. */
export function useTitle(title: string) {
  useEffect(() => {
    document.title = `${title} · Signalbox`;
  }, [title]);
}
