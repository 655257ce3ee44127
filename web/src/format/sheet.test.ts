import { describe, expect, it } from "vitest";
import { toSheet } from "./sheet";

describe("CSV for spreadsheets", () => {
  // The same cells as in internal/platform/sheet.
  it.each([
    ["", ""],
    ["edge", "edge"],
    ["a=1", "a=1"],
    ["7", "7"],
    ["-12.5", "-12.5"],
    ["-.5", "-.5"],
    ["-", "'-"],
    ["-1+cmd|' /C calc'!A0", "'-1+cmd|' /C calc'!A0"],
    ["-1.2.3", "'-1.2.3"],
    ["=1+1", "'=1+1"],
    ["+1", "'+1"],
    ["@SUM(A1)", "'@SUM(A1)"],
    ["\t=1", "'\t=1"],
    ["  =1", "'  =1"],
    ["\u00a0=1", "'\u00a0=1"],
    ["\uff1d1", "'\uff1d1"],
    ["\uff0b1", "'\uff0b1"],
    ["\uff0d1", "'\uff0d1"],
    ["\uff201", "'\uff201"],
  ])("has no formula in %j", (text, want) => expect(toSheet([[text]])).toBe(want));

  it("quotes what would end a cell or a row", () =>
    expect(toSheet([["\r=1", "\n=1", '=a,"b"', 'say "no"', "two\nlines"]])).toBe(
      `"'\r=1","'\n=1","'=a,""b""","say ""no""","two\nlines"`,
    ));
  it("leaves numbers as they are, and gaps empty", () =>
    expect(
      toSheet([
        [-3, 1e-9, null, undefined, 0],
        ["x", "y"],
      ]),
    ).toBe("-3,1e-9,,,0\nx,y"));
});
