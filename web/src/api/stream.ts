import { tenantHeaders } from "./tenant";

export interface Listener {
  open: () => void;
  broken: () => void;
  event: (name: string, data: string) => void;
}

const againAfterMs = 3000;

/** Follows server-sent events until stopped, and begins again when they break. An EventSource could name no tenant. */
export function follow(url: string, to: Listener): () => void {
  const stop = new AbortController();
  void (async () => {
    while (!stop.signal.aborted) {
      try {
        const response = await fetch(url, {
          headers: { Accept: "text/event-stream", ...tenantHeaders(url) },
          signal: stop.signal,
        });
        if (!response.ok || !response.body) throw new Error(`HTTP ${response.status}`);
        to.open();
        await read(response.body, to.event);
      } catch {
        // Said below, whatever it was.
      }
      if (stop.signal.aborted) return;
      to.broken();
      await new Promise((done) => setTimeout(done, againAfterMs));
    }
  })();
  return () => stop.abort();
}

async function read(body: ReadableStream<Uint8Array>, event: Listener["event"]) {
  const reader = body.getReader();
  const decoder = new TextDecoder();
  let rest = "";
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    rest += decoder.decode(value, { stream: true });
    const blocks = rest.split("\n\n");
    rest = blocks.pop() ?? "";
    for (const block of blocks) {
      const field = (name: string) =>
        block
          .split("\n")
          .filter((line) => line.startsWith(`${name}: `))
          .map((line) => line.slice(name.length + 2))
          .join("\n");
      if (field("data")) event(field("event") || "message", field("data"));
    }
  }
}
