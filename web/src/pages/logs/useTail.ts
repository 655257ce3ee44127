import { useEffect, useRef, useState } from "react";
import { type ApiError, buildUrl } from "~/api/client";
import { follow } from "~/api/stream";
import type { LogRecord } from "~/api/types";
import { isReading } from "~/time/live";

const keepAtMost = 2000;
const flushEveryMs = 250;

export interface Tail {
  /** Newest first. */
  logs: LogRecord[];
  /** Lines that arrived while someone was reading and that wait for them to finish. */
  waiting: number;
  /** Lines that the server left out because this reader is too slow. */
  dropped: number;
  state: "off" | "connecting" | "open" | "broken" | "refused";
  /** Why it is broken or refused. */
  error?: ApiError | undefined;
  show: () => void;
}

/** Follows matching log lines as they arrive; holds new ones back while someone is reading. */
export function useTail(q: string, on: boolean): Tail {
  const [logs, setLogs] = useState<LogRecord[]>([]);
  const [waiting, setWaiting] = useState(0);
  const [dropped, setDropped] = useState(0);
  const [state, setState] = useState<Tail["state"]>("off");
  const [error, setError] = useState<ApiError>();
  const buffer = useRef<LogRecord[]>([]);
  const flush = useRef(() => {});
  flush.current = () => {
    const fresh = buffer.current;
    buffer.current = [];
    setWaiting(0);
    if (fresh.length > 0) setLogs((old) => [...fresh.reverse(), ...old].slice(0, keepAtMost));
  };

  useEffect(() => {
    setLogs([]);
    setDropped(0);
    setWaiting(0);
    setError(undefined);
    buffer.current = [];
    if (!on) {
      setState("off");
      return;
    }
    setState("connecting");
    const stop = follow(buildUrl("/sb/v1/logs/tail", { q }), {
      open: () => {
        setState("open");
        setError(undefined);
      },
      broken: (why, again) => {
        setState(again ? "broken" : "refused");
        setError(why);
      },
      event: (name, data) => {
        if (name === "dropped") {
          const { count } = JSON.parse(data) as { count: number };
          setDropped((old) => old + count);
        } else if (name === "log") {
          buffer.current.push(JSON.parse(data) as LogRecord);
          if (buffer.current.length > keepAtMost) buffer.current.shift();
        }
      },
    });
    const timer = setInterval(() => {
      if (isReading()) setWaiting(buffer.current.length);
      else flush.current();
    }, flushEveryMs);
    return () => {
      clearInterval(timer);
      stop();
    };
  }, [q, on]);

  return { logs, waiting, dropped, state, error, show: () => flush.current() };
}
