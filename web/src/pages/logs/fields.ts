import type { LogRecord } from "~/api/types";

export interface Field {
  name: string;
  value: string;
}

const identity = [
  "level",
  "service",
  "namespace",
  "env",
  "region",
  "version",
  "instance",
  "tenant",
  "trace_id",
  "span_id",
  "request_id",
] as const;

const own = new Set<string>([...identity, "timestamp", "message"]);

/** The field by which filters ask for an attribute: one that is called like a field of the record has a prefix. */
function attributeField(key: string): string {
  return own.has(key) ? `attr.${key}` : key;
}

/** Text of an attribute as filters compare it. */
export function valueText(value: unknown): string {
  if (typeof value === "string") return value;
  if (value === null || value === undefined) return "";
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}

/** Every field of a record that has a value: identity first, then the record's own attributes, then the resource's. */
export function fieldsOf(log: LogRecord): Field[] {
  const out: Field[] = [];
  for (const name of identity) {
    const value = log[name];
    if (value) out.push({ name, value });
  }
  for (const attributes of [log.attributes, log.resource]) {
    for (const [key, value] of Object.entries(attributes ?? {})) {
      const name = attributeField(key);
      const text = valueText(value);
      if (text !== "" && !out.some((field) => field.name === name)) out.push({ name, value: text });
    }
  }
  return out;
}
