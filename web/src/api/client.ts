import { tenantHeaders } from "./tenant";

/** A request that failed, with what a reader needs: what, why and whether a retry makes sense. */
export class ApiError extends Error {
  override readonly name = "ApiError";

  constructor(
    message: string,
    readonly status: number,
    readonly code: string,
    readonly details?: { position?: number; hint?: string } & Record<string, unknown>,
  ) {
    super(message);
  }

  /** A retry may help: the server is away, busy or slow. */
  get transient(): boolean {
    return this.status === 0 || this.status === 429 || this.status >= 500;
  }
}

export type Params = Record<string, string | number | boolean | undefined | null | readonly string[]>;

/** Path and query string; undefined and empty parameters are left out. */
export function buildUrl(path: string, params: Params = {}): string {
  const search = new URLSearchParams();
  for (const [key, value] of Object.entries(params)) {
    if (value === undefined || value === null || value === "") continue;
    if (Array.isArray(value)) for (const item of value) search.append(key, item);
    else search.append(key, String(value));
  }
  const text = search.toString();
  return text ? `${path}?${text}` : path;
}

interface ErrorBody {
  // Signalbox's own API.
  error?: { code?: string; message?: string; details?: Record<string, unknown> } | string;
  // Prometheus' API.
  errorType?: string;
  message?: string;
}

/** What a body that tells of an error says. */
export function errorOf({ error, errorType }: ErrorBody, status: number, otherwise = ""): ApiError {
  if (typeof error === "string") return new ApiError(error, status, errorType ?? "internal");
  const { code = "internal", message = otherwise, details } = error ?? {};
  return new ApiError(message, status, code, details);
}

async function toError(response: Response): Promise<ApiError> {
  const text = await response.text();
  let body: ErrorBody | string | undefined;
  try {
    body = JSON.parse(text) as ErrorBody | string;
  } catch {
    body = undefined;
  }
  if (typeof body === "string") return new ApiError(body, response.status, "bad_request");
  if (body?.error) return errorOf(body, response.status, response.statusText);
  const message = body?.message ?? (text.length < 300 ? text.trim() : "");
  return new ApiError(
    message || `HTTP ${response.status} ${response.statusText}`.trim(),
    response.status,
    "http",
  );
}

let onLoggedOut = () => {};

/** Is told when the server wants to know who asks. */
export function whenLoggedOut(tell: () => void) {
  onLoggedOut = tell;
}

/** Asks as the tenant that is chosen; fails with what the server says of it. */
export async function send(url: string, init: RequestInit): Promise<Response> {
  const response = await reach(url, init);
  if (response.status === 401) onLoggedOut();
  if (!response.ok) throw await toError(response);
  return response;
}

async function reach(url: string, init: RequestInit): Promise<Response> {
  try {
    return await fetch(url, { ...init, headers: { ...init.headers, ...tenantHeaders(url) } });
  } catch (cause) {
    if (cause instanceof DOMException && cause.name === "AbortError") throw cause;
    throw new ApiError("The server does not answer.", 0, "unreachable");
  }
}

async function json<T>(response: Response): Promise<T> {
  const text = await response.text();
  if (text === "") return undefined as T;
  try {
    return JSON.parse(text) as T;
  } catch {
    throw new ApiError("The server's answer is not JSON.", response.status, "bad_answer");
  }
}

export async function get<T>(path: string, params?: Params, signal?: AbortSignal): Promise<T> {
  return json<T>(
    await send(buildUrl(path, params), { signal: signal ?? null, headers: { Accept: "application/json" } }),
  );
}

function withBody(method: string, body: unknown): RequestInit {
  return {
    method,
    headers: { "Content-Type": "application/json", Accept: "application/json" },
    body: JSON.stringify(body),
  };
}

/** Saves a file that the server answers. */
export async function download(path: string, name: string): Promise<void> {
  save(await (await send(path, {})).blob(), name);
}

/** Saves what is here already as a file. */
export function save(content: Blob, name: string): void {
  const file = URL.createObjectURL(content);
  const link = document.createElement("a");
  link.href = file;
  link.download = name;
  link.click();
  URL.revokeObjectURL(file);
}

export async function post<T>(path: string, body: unknown): Promise<T> {
  return json<T>(await send(path, withBody("POST", body)));
}

/** A change with any method; without a body where there is nothing to say. */
export async function call<T>(method: string, path: string, body?: unknown): Promise<T> {
  return json<T>(await send(path, body === undefined ? { method } : withBody(method, body)));
}

/** A post that proves who asks: 401 says that the proof is wrong, not that a login is needed. */
export async function knock<T>(path: string, body: unknown): Promise<T> {
  const response = await reach(path, withBody("POST", body));
  if (!response.ok) throw await toError(response);
  return json<T>(response);
}

export async function remove(path: string): Promise<void> {
  await send(path, { method: "DELETE" });
}

/** A Prometheus API call: form-encoded POST, the envelope opened. */
export async function prom<T>(
  path: string,
  params: Params,
  signal?: AbortSignal,
): Promise<{ data: T; warnings: string[]; infos: string[] }> {
  const form = buildUrl("", params).slice(1);
  const response = await send(path, {
    method: "POST",
    headers: { "Content-Type": "application/x-www-form-urlencoded" },
    body: form,
    signal: signal ?? null,
  });
  const body = await json<{ status: string; data: T; warnings?: string[]; infos?: string[] }>(response);
  return { data: body.data, warnings: body.warnings ?? [], infos: body.infos ?? [] };
}
