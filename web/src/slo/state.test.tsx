import { screen } from "@testing-library/react";
import { describe, expect, it } from "vitest";
import type { SLOBand, SLOHistory, SLOState, SLOStatus } from "~/api/types";
import { BudgetFacts } from "~/pages/slo/BudgetFacts";
import { WhatIfFacts } from "~/pages/slo/WhatIfFacts";
import { renderPage } from "~/test/render";
import { slo } from "~/test/samples";
import { BudgetBar } from "./BudgetBar";
import { withNow } from "./history";
import { SloCard } from "./SloCard";
import { SloMark } from "./SloMark";
import { SloTable } from "./SloTable";
import { knownLeft, stateWord, worstTone } from "./state";

const states = Object.keys(stateWord) as SLOState[];
const band = (name: SLOBand["name"], threshold: number): SLOBand => ({
  name,
  text: name.replaceAll("-", " "),
  threshold,
  policy: "broker",
});
const budget = (left: number | null) => ({
  ...slo({}).budget,
  left_ratio: left,
  used_ratio: left === null ? null : 1 - left,
});

/** The shape, colour and word that stand for a state in what was rendered. */
function marks(container: HTMLElement): string[] {
  return [...container.querySelectorAll("span[data-tone]:has(> svg)")].map(
    (mark) =>
      `${mark.getAttribute("data-tone")} ${mark.querySelector("path")?.getAttribute("d")} ${mark.textContent}`,
  );
}

describe("a state", () => {
  it.each(states)(
    "%s has the same shape, colour and word in the list, on the card and alone",
    async (state) => {
      const one = slo({ state, burn: [] });
      const alone = marks((await renderPage(<SloMark state={state} />)).container);
      expect(alone).toHaveLength(1);
      expect(marks((await renderPage(<SloTable slos={[one]} label="SLOs" />)).container)).toEqual(alone);
      expect(marks((await renderPage(<SloCard slo={one} />)).container)).toEqual(alone);
    },
  );
  it("of several is the worst", () => {
    expect(worstTone([slo({ state: "ok" }), slo({ state: "insufficient" })])).toBe("unknown");
    expect(worstTone([slo({ state: "ok" }), slo({ state: "burning" })])).toBe("danger");
    expect(worstTone([])).toBeUndefined();
  });
});

describe("a band", () => {
  it("shows beside the state wherever it is not the normal one", async () => {
    const one = slo({ band: band("critical-fixes-only", 0.75), budget: budget(0.23) });
    await renderPage(<SloTable slos={[one]} label="SLOs" />);
    expect(screen.getByText("Critical fixes only")).toBeTruthy();
    expect(screen.getByTitle("Gate: critical fixes only, from 75 % used on, policy broker")).toBeTruthy();
  });
  it("colours the budget, so that what the gate holds back for is not green", async () => {
    const tone = async (change: Partial<SLOStatus>) =>
      (await renderPage(<BudgetBar slo={slo(change)} />)).container
        .querySelector("span[style]")
        ?.getAttribute("data-tone");
    expect(await tone({ band: band("critical-fixes-only", 0.75) })).toBe("caution");
    expect(await tone({ band: band("normal", 0) })).toBe("ok");
    expect(await tone({ band: band("freeze", 1) })).toBe("danger");
    expect(await tone({ state: "burning", band: band("normal", 0) })).toBe("danger");
  });
});

describe("the budget left", () => {
  it.each([
    [0.58, "58 % left"],
    [-0.08, "Overspent by 8 %"],
  ])("reads for %d: %s", async (left, words) => {
    await renderPage(<BudgetBar slo={slo({ budget: budget(left) })} />);
    expect(screen.getByText(words)).toBeTruthy();
  });
  it("is one number in the list, the facts, what-if at today's settings and the curve's end", async () => {
    const one = slo({ budget: { ...budget(0.58087), coverage: 0.93 } });
    await renderPage(
      <>
        <BudgetBar slo={one} />
        <BudgetFacts slo={one} />
        <WhatIfFacts
          list={[{ time: 3600, bad: 5, total: 7000 }]}
          target={one.objective}
          window={one.window}
          slo={one}
        />
      </>,
    );
    expect(screen.getByText("58.1 % left")).toBeTruthy();
    expect(screen.getAllByText("58.1 %")).toHaveLength(2);
    expect(screen.getByText(/with 58.1 % of the budget left/)).toBeTruthy();
    const history = {
      name: one.name,
      points: [
        { time: "2026-11-21T13:00:00Z", left_ratio: 0.61, burn_1h: 1, error_ratio: 0 },
        { time: "2026-11-21T15:00:00Z", left_ratio: 0.9, burn_1h: 1, error_ratio: 0 },
      ],
    } as SLOHistory;
    const known = withNow(history, one).points.filter((point) => point.left_ratio !== null);
    expect(known.at(-1)).toMatchObject({ time: one.time, left_ratio: 0.58087 });
  });
  it("of what cannot be judged is nowhere a figure", async () => {
    const one = slo({ state: "insufficient", budget: { ...budget(1), reason: "Too young" } });
    expect(knownLeft(one)).toBeUndefined();
    const { container } = await renderPage(
      <>
        <BudgetBar slo={one} />
        <BudgetFacts slo={one} />
      </>,
    );
    expect(screen.getByText("Budget unknown: Too young.")).toBeTruthy();
    expect(container.textContent).not.toMatch(/100 % left|^100 %$/);
    expect(screen.getByText("Budget left").nextElementSibling?.textContent).toBe("–");
    expect(withNow({ name: "a", points: [] } as SLOHistory, one).points[0]?.left_ratio).toBeNull();
  });
});
