import { ApiError, errorOf, send } from "./client";

export interface Listener {
  open: () => void;
  /** It broke, and begins again by itself where that may help. */
  broken: (error: ApiError, again: boolean) => void;
  event: (name: string, data: string) => void;
}

const againAfterMs = 3000;

/**
 * Follows server-sent events until stopped, and begins again when they break. Not with an EventSource, which could name no tenant and
 * would not say why it was refused.
 */
export function follow(url: string, to: Listener): () => void {
  const stop = new AbortController();
  void (async () => {
    while (!stop.signal.aborted) {
      const error = await once(url, to, stop.signal);
      if (stop.signal.aborted) return;
      to.broken(error, error.transient);
      if (!error.transient) return;
      await new Promise((done) => setTimeout(done, againAfterMs));
    }
  })();
  return () => stop.abort();
}

/** Follows until it ends, and says why it did. */
async function once(url: string, to: Listener, signal: AbortSignal): Promise<ApiError> {
  let said: ApiError | undefined;
  try {
    const response = await send(url, { headers: { Accept: "text/event-stream" }, signal });
    to.open();
    if (response.body)
      await read(response.body, (name, data) => {
        // What the server says before it ends a stream that it cannot go on with. Asked again, it may be able to.
        if (name === "error") said = errorOf(JSON.parse(data), 0);
        else to.event(name, data);
      });
  } catch (error) {
    if (error instanceof ApiError) return error;
  }
  return said ?? new ApiError("The connection ended.", 0, "unreachable");
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
