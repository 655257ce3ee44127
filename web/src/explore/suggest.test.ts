import { describe, expect, it } from "vitest";
import { complete, matchingFields, tokenAt } from "./suggest";

describe("suggestions", () => {
  it("are for a field until the colon and for its value after it", () => {
    expect(tokenAt("level:error serv", 16)).toMatchObject({ from: 12, typed: "serv" });
    expect(tokenAt("level:er", 8)).toMatchObject({ field: "level", typed: "er" });
  });
  it("replace the word under the cursor and keep the rest", () => {
    const query = "serv level:error";
    expect(complete(query, tokenAt(query, 4), "service")).toEqual({
      query: "service:level:error".replace("level", "level"),
      cursor: 8,
    });
  });
  it("quote a value that needs it", () => {
    expect(complete("name:", tokenAt("name:", 5), "GET /v1").query).toBe('name:"GET /v1" ');
  });
  it("put names that begin with what was typed first", () => {
    expect(matchingFields(["k8s.service", "service", "region"], "serv")).toEqual(["service", "k8s.service"]);
  });
});
