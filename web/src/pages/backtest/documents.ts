import type { BacktestDocument, BacktestSet } from "~/api/types";

export type Kind = "slos" | "policies" | "rules";
export const kinds: readonly Kind[] = ["slos", "policies", "rules"];

export const kindWord: Record<Kind, string> = { slos: "SLOs", policies: "Policies", rules: "Alert rules" };

/** One document of a set, as it is edited. */
export interface Draft {
  kind: Kind;
  name: string;
  text: string;
}

/** What is replayed: A and B. Empty A is what is in force; empty B is no comparison. */
export interface Sets {
  a: Draft[];
  b: Draft[];
}

/** A document's kind by its top level: `policies:` and `groups:` are those files, all else is an SLO. */
export function kindOf(text: string): Kind {
  if (/^policies\s*:/m.test(text)) return "policies";
  if (/^groups\s*:/m.test(text)) return "rules";
  return "slos";
}

/** The last part of a path. */
export function fileName(path: string): string {
  return path.split("/").at(-1) || path;
}

export function toDrafts(set: BacktestSet): Draft[] {
  return kinds.flatMap((kind) => (set[kind] ?? []).map(({ name, text }) => ({ kind, name, text })));
}

export function toSet(drafts: readonly Draft[]): BacktestSet {
  const set: BacktestSet = {};
  for (const kind of kinds) {
    const docs: BacktestDocument[] = drafts
      .filter((draft) => draft.kind === kind)
      .map(({ name, text }) => ({ name, text }));
    if (docs.length > 0) set[kind] = docs;
  }
  return set;
}

/** A name that no other draft of the list has. */
export function freeName(drafts: readonly Draft[], wanted: string): string {
  const taken = new Set(drafts.map((draft) => draft.name));
  if (!taken.has(wanted)) return wanted;
  const [, stem = wanted, ending = ""] = /^(.*?)(\.[a-z]+)?$/i.exec(wanted) ?? [];
  for (let n = 2; ; n++) if (!taken.has(`${stem}-${n}${ending}`)) return `${stem}-${n}${ending}`;
}

/** A line of a document with what is wrong there. Line 0 is the whole document. */
export interface Mistake {
  name: string;
  line: number;
  message: string;
}

/** The server's list of mistakes, `file:line: message` each, by the documents' names. */
export function mistakesOf(message: string, drafts: readonly Draft[]): Mistake[] {
  const names = [...new Set(drafts.map((draft) => draft.name))].sort((a, b) => b.length - a.length);
  const out: Mistake[] = [];
  for (const part of message.split("\n")) {
    const name = names.find((one) => part.startsWith(`${one}:`));
    if (!name) {
      const last = out.at(-1);
      if (last && part.trim()) last.message += ` ${part.trim()}`;
      continue;
    }
    const [, line, text] = /^:\s*(?:(\d+)(?::\d+)?:)?\s*(.*)$/.exec(part.slice(name.length)) ?? [];
    out.push({ name, line: Number(line ?? 0), message: text ?? "" });
  }
  return out;
}

const bytesToText = (bytes: Uint8Array) => {
  let binary = "";
  for (const byte of bytes) binary += String.fromCharCode(byte);
  return btoa(binary).replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");
};

async function through(bytes: Uint8Array, stream: CompressionStream | DecompressionStream) {
  const out = new Response(bytes as BodyInit).body?.pipeThrough(stream as TransformStream);
  return new Uint8Array(await new Response(out ?? null).arrayBuffer());
}

/** Sets as text for an address: deflated JSON in base64url. */
export async function encodeSets(sets: Sets): Promise<string> {
  const json = new TextEncoder().encode(JSON.stringify(sets));
  return bytesToText(await through(json, new CompressionStream("deflate-raw")));
}

/** The inverse; undefined where the address was cut off. */
export async function decodeSets(text: string): Promise<Sets | undefined> {
  try {
    const binary = atob(text.replaceAll("-", "+").replaceAll("_", "/"));
    const bytes = Uint8Array.from(binary, (char) => char.charCodeAt(0));
    const json = await through(bytes, new DecompressionStream("deflate-raw"));
    const sets = JSON.parse(new TextDecoder().decode(json)) as Sets;
    return Array.isArray(sets.a) && Array.isArray(sets.b) ? sets : undefined;
  } catch {
    return undefined;
  }
}

/** Another target or window for one SLO. */
export interface Change {
  slo: string;
  /** In percent. */
  target?: number | undefined;
  window?: string | undefined;
}

const targetLine = /^(\s*-?\s*)(target|targetPercent)(\s*:\s*)[\d.]+/m;
const windowLine = /^(\s*-?\s*)duration(\s*:\s*)("?)[0-9]+[a-zA-Z]+\3/m;

/**
 * The drafts with one SLO changed in the text of its document. `done` is false where the document is
 * written in a way that this does not read: then a person changes it.
 */
export function withChange(drafts: readonly Draft[], change: Change): { drafts: Draft[]; done: boolean } {
  let done = false;
  const named = new RegExp(
    `^\\s+name:\\s*["']?${change.slo.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")}["']?\\s*$`,
    "m",
  );
  const out = drafts.map((draft) => {
    if (draft.kind !== "slos" || done) return draft;
    const chunks = draft.text.split(/^(?=---)/m).map((chunk) => {
      if (done || !/^kind:\s*SLO\b/m.test(chunk) || !named.test(chunk)) return chunk;
      const next = changed(chunk, change);
      if (next === undefined) return chunk;
      done = true;
      return next;
    });
    return { ...draft, text: chunks.join("") };
  });
  return { drafts: out, done };
}

function changed(chunk: string, { target, window }: Change): string | undefined {
  let text = chunk;
  if (target !== undefined) {
    if (!targetLine.test(text)) return undefined;
    const ratio = String(Math.round(target * 1e8) / 1e10);
    text = text.replace(
      targetLine,
      (_, lead: string, key: string, colon: string) =>
        `${lead}${key}${colon}${key === "target" ? ratio : target}`,
    );
  }
  if (window !== undefined) {
    const at = text.search(/^\s+timeWindow\s*:/m);
    const rest = at < 0 ? "" : text.slice(at);
    if (!windowLine.test(rest)) return undefined;
    text =
      text.slice(0, at) +
      rest.replace(windowLine, (_, lead: string, colon: string) => `${lead}duration${colon}${window}`);
  }
  return text;
}

/** The first line, from 1, at which two texts differ. */
export function firstChange(before: string, after: string): number {
  const old = before.split("\n");
  const at = after.split("\n").findIndex((line, index) => line !== old[index]);
  return at < 0 ? 1 : at + 1;
}
