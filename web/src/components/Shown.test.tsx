import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { render, screen } from "@testing-library/react";
import type { ReactNode } from "react";
import { describe, expect, it } from "vitest";
import type { Me } from "~/api/types";
import { meQuery } from "~/auth/me";
import { isMasked, Shown } from "./Shown";

const me: Me = {
  subject: "user:ann",
  name: "ann",
  kind: "user",
  groups: [],
  tenant: "default",
  permissions: [],
  masking: { cards: "unmasked.cards" },
};

function as({ children }: { children: ReactNode }) {
  const client = new QueryClient({ defaultOptions: { queries: { retry: false, staleTime: 60_000 } } });
  client.setQueryData(meQuery.queryKey, me);
  return <QueryClientProvider client={client}>{children}</QueryClientProvider>;
}

describe("a text that is masked in part", () => {
  it("tells what is masked from the rest, and by which rule", () => {
    const text = "paid with [masked: cards …1111] by [masked: contact], ok";
    const { container } = render(<Shown text={text} />, { wrapper: as });
    expect(container.textContent).toBe("paid with masked: cards …1111 by masked: contact, ok");
    expect(screen.getByText("masked: cards …1111").title).toContain(
      "by the rule cards. The permission unmasked.cards lifts it",
    );
    // Of a rule that was added meanwhile.
    expect(screen.getByText("masked: contact").title).toContain("A permission lifts it");
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
