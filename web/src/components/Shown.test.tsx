import { render, screen } from "@testing-library/react";
import { describe, expect, it } from "vitest";
import { isMasked, Shown } from "./Shown";

describe("a text that is masked in part", () => {
  it("tells what is masked from the rest, and by which rule", () => {
    const { container } = render(<Shown text="paid with [masked: cards …1111] by [masked: contact], ok" />);
    expect(container.textContent).toBe("paid with masked: cards …1111 by masked: contact, ok");
    expect(screen.getByText("masked: cards …1111").title).toContain("by the rule cards");
    expect(container.querySelectorAll("span")).toHaveLength(2);
  });
  it("is a text like any other where nothing is", () => {
    const { container } = render(<Shown text="a [masked] b [masked: " />);
    expect(container.textContent).toBe("a [masked] b [masked: ");
    expect(container.querySelector("span")).toBeNull();
    expect([isMasked("[masked: a]"), isMasked("[masked: a]"), isMasked("masked: a")]).toEqual([
      true,
      true,
      false,
    ]);
  });
});
