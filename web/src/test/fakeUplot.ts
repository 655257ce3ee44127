/** Stands in for uPlot where there is no canvas; remembers what it was told to draw. */
export interface Drawn {
  options: Record<string, unknown>;
  data: unknown[];
}

export const drawn: Drawn[] = [];

export default class FakeUplot {
  static paths = {};
  static tzDate = (date: Date) => date;
  over = document.createElement("div");
  cursor: Record<string, unknown> = {};
  select = { left: 0, width: 0 };

  constructor(options: Record<string, unknown>, data: unknown[]) {
    drawn.push({ options, data });
  }

  setData(data: unknown[]) {
    const last = drawn[drawn.length - 1];
    if (last) last.data = data;
  }
  setSize() {}
  setSelect() {}
  setCursor() {}
  valToPos(value: number) {
    return value;
  }
  posToVal(position: number) {
    return position;
  }
  redraw() {}
  destroy() {}
}
