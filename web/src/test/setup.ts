import { cleanup, configure } from "@testing-library/react";
import { afterEach, vi } from "vitest";

// A busy machine renders a page of forms in more than the second that is waited for by default.
configure({ asyncUtilTimeout: 5000 });

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
