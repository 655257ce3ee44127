import { useState } from "react";

const key = "signalbox.who";

function read(): string {
  try {
    return localStorage.getItem(key) ?? "";
  } catch {
    return "";
  }
}

/** The reader's name for acknowledgements and silences, remembered by this browser. */
export function useWho(): [string, (name: string) => void] {
  const [who, setWho] = useState(read);
  const keep = (name: string) => {
    setWho(name);
    try {
      localStorage.setItem(key, name);
    } catch {
      // Storage is refused: the name lives as long as the page.
    }
  };
  return [who, keep];
}
