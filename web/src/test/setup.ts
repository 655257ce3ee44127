import { cleanup } from "@testing-library/react";
import { afterEach, vi } from "vitest";

// What jsdom lacks and Mantine, uPlot and the virtualiser ask for.
window.matchMedia = (query: string) =>
  ({
    matches: query.includes("min-width"),
    media: query,
    onchange: null,
    addEventListener: () => {},
    removeEventListener: () => {},
    addListener: () => {},
    removeListener: () => {},
    dispatchEvent: () => false,
  }) as MediaQueryList;

class FixedObserver {
  observe() {}
  unobserve() {}
  disconnect() {}
}
window.ResizeObserver = FixedObserver as unknown as typeof ResizeObserver;
window.scrollTo = () => {};
Element.prototype.scrollIntoView = () => {};

vi.mock("uplot", async () => await import("./fakeUplot"));

afterEach(() => {
  cleanup();
  vi.unstubAllGlobals();
});
