import { useState } from "react";
import { nameOf, useMe } from "~/auth/me";

const key = "signalbox.who";

function read(): string {
  try {
    return localStorage.getItem(key) ?? "";
  } catch {
    return "";
  }
}

export interface Who {
  name: string;
  claim: (name: string) => void;
  /** It is the name of who is logged in, which nobody can claim or change. */
  proved: boolean;
}

/** The reader's name for acknowledgements, silences and overrides: proved, or claimed and remembered by this browser. */
export function useWho(): Who {
  const me = useMe();
  const [claimed, setClaimed] = useState(read);
  const keep = (name: string) => {
    setClaimed(name);
    try {
      localStorage.setItem(key, name);
    } catch {
      // Storage is refused: the name lives as long as the page.
    }
  };
  return { name: me ? nameOf(me) : claimed, claim: keep, proved: me !== undefined };
}
