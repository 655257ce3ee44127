import { screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { describe, expect, it, vi } from "vitest";
import { renderPage } from "~/test/render";
import { log } from "~/test/samples";
import { fieldsOf } from "./fields";
import { LogRow } from "./LogRow";

describe("a log row", () => {
  it("is one line with its level as a word", async () => {
    await renderPage(<LogRow log={log({})} open={false} onToggle={() => {}} q="" onQuery={() => {}} />);
    const line = screen.getByRole("button", { expanded: false });
    expect(line.textContent).toContain("error");
    expect(line.textContent).toContain("connection reset");
  });
  it("opens to its fields, each filtering in and out", async () => {
    const onQuery = vi.fn();
    await renderPage(<LogRow log={log({})} open onToggle={() => {}} q="reset" onQuery={onQuery} />);
    await userEvent.click(screen.getByRole("button", { name: "Only http.route /v1" }));
    expect(onQuery).toHaveBeenLastCalledWith('reset http.route:"/v1"');
    await userEvent.click(screen.getByRole("button", { name: "Everything but region eu-1" }));
    expect(onQuery).toHaveBeenLastCalledWith("reset NOT region:eu-1");
    expect(screen.getByRole("link", { name: "Open the trace" }).getAttribute("href")).toContain(
      "/traces/4bf92f35",
    );
  });
  it("offers no filter by what is masked", async () => {
    const masked = log({ attributes: { "user.email": "[masked: mail]" } });
    await renderPage(<LogRow log={masked} open onToggle={() => {}} q="" onQuery={() => {}} />);
    expect(screen.getByText("masked: mail").title).toContain("rule mail");
    expect(screen.queryByRole("button", { name: /Only user.email/ })).toBeNull();
    expect(screen.getByRole("button", { name: "Only region eu-1" })).toBeTruthy();
  });
  it("shows markup of a message, a service or an attribute as text", async () => {
    const markup = '<img src=x onerror="window.hurt=1"><script>window.hurt=1</script>';
    const hostile = log({
      message: markup,
      service: markup,
      attributes: { [markup]: markup, url: "javascript:window.hurt=1" },
    });
    const { container } = await renderPage(
      <LogRow log={hostile} open onToggle={() => {}} q="" onQuery={() => {}} />,
    );
    expect(container.querySelectorAll("img, script, iframe, [onerror], a[href^='javascript']")).toHaveLength(
      0,
    );
    expect(container.textContent).toContain(markup);
    expect((window as { hurt?: number }).hurt).toBeUndefined();
  });
  it("has no trace link without a trace", async () => {
    await renderPage(<LogRow log={log({ trace_id: "" })} open onToggle={() => {}} q="" onQuery={() => {}} />);
    expect(screen.queryByRole("link", { name: "Open the trace" })).toBeNull();
  });
  it("writes objects as JSON and leaves out what is empty", () => {
    const fields = fieldsOf(log({}));
    expect(fields.find((field) => field.name === "nested")?.value).toBe('{"a":1}');
    expect(fields.some((field) => field.name === "request_id")).toBe(false);
  });
});
