import { describe, expect, it } from "vitest";
import type { LogRecord } from "~/api/types";
import { fieldsOf } from "./fields";

describe("the fields of a log record", () => {
  it("has attributes that are called like a field under the name that finds them", () => {
    const log = {
      timestamp: "2026-11-21T10:00:00Z",
      level: "error",
      service: "edge",
      tenant: "default",
      message: "boom",
      attributes: { tenant: "acme", "http.route": "/a", message: "inner" },
      resource: { "http.route": "/b", "host.name": "h1", level: "gold" },
    } as unknown as LogRecord;
    expect(fieldsOf(log).map(({ name, value }) => `${name}=${value}`)).toEqual([
      "level=error",
      "service=edge",
      "tenant=default",
      "attr.tenant=acme",
      "http.route=/a",
      "attr.message=inner",
      "host.name=h1",
      "attr.level=gold",
    ]);
  });
});
