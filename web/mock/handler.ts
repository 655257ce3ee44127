import type { IncomingMessage, ServerResponse } from "node:http";
export function mockHandler(_req: IncomingMessage, _res: ServerResponse, next: () => void) {
  next();
}
