import { screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { describe, expect, it, vi } from "vitest";
import { ApiError } from "~/api/client";
import { renderPage } from "~/test/render";
import { Answer } from "./Answer";
import { CopyButton } from "./CopyButton";
import { DeployList } from "./DeployList";
import { EmptyNote } from "./EmptyNote";
import { PartialNote } from "./PartialNote";
import { StateMark } from "./StateMark";
import { When } from "./When";

const waiting = { data: undefined, error: null, isPending: true, isPlaceholderData: false, refetch: vi.fn() };

describe("an answer", () => {
  it("is a skeleton while loading", async () => {
    await renderPage(
      <Answer query={waiting} what="the figures">
        {() => "x"}
      </Answer>,
    );
    expect(screen.getByRole("status", { name: "Loading the figures" })).toBeTruthy();
  });
  it("keeps the old figures in sight under an error", async () => {
    const error = new ApiError("slow", 504, "timeout");
    await renderPage(
      <Answer query={{ ...waiting, data: "old figures", error }} what="the figures">
        {(text) => text}
      </Answer>,
    );
    expect(screen.getByRole("alert").textContent).toContain("from the last answer");
    expect(screen.getByText("old figures")).toBeTruthy();
  });
  it("offers a retry", async () => {
    const refetch = vi.fn();
    await renderPage(
      <Answer query={{ ...waiting, error: new Error("no"), refetch }} what="the figures">
        {() => "x"}
      </Answer>,
    );
    await userEvent.click(screen.getByRole("button", { name: "Try again" }));
    expect(refetch).toHaveBeenCalledOnce();
  });
});

describe("small parts", () => {
  it.each(["ok", "caution", "danger", "unknown"] as const)(
    "a %s mark is a shape and a word",
    async (tone) => {
      const { container } = await renderPage(<StateMark tone={tone} word="Word" />);
      expect(container.querySelector("svg path")).toBeTruthy();
      expect(screen.getByText("Word")).toBeTruthy();
    },
  );
  it("the four shapes differ", async () => {
    const tones = ["ok", "caution", "danger", "unknown"] as const;
    const { container } = await renderPage(tones.map((tone) => <StateMark key={tone} tone={tone} word="" />));
    const shapes = [...container.querySelectorAll("svg path")].map((path) => path.getAttribute("d"));
    expect(new Set(shapes).size).toBe(4);
  });
  it("an empty note has its command ready to copy", async () => {
    await renderPage(<EmptyNote title="Nothing yet." command="signalbox slo list" />);
    expect(screen.getByText("signalbox slo list")).toBeTruthy();
    expect(screen.getByRole("button", { name: "Copy the command" })).toBeTruthy();
  });
  it("a partial note names the missing part, and is absent when nothing is", async () => {
    await renderPage(
      <>
        <PartialNote messages={[]} />
        <PartialNote messages={["Region us-2 has not answered."]} />
      </>,
    );
    expect(screen.getAllByRole("status")).toHaveLength(1);
    expect(screen.getByText("Region us-2 has not answered.")).toBeTruthy();
  });
  it("a copy button says that it copied", async () => {
    const user = userEvent.setup();
    await renderPage(<CopyButton text="the text" label="Copy it" />);
    await user.click(screen.getByRole("button", { name: "Copy it" }));
    expect(await screen.findByRole("button", { name: "Copied" })).toBeTruthy();
    expect(await navigator.clipboard.readText()).toBe("the text");
  });
  it("a deployment is a sentence, and only a web address becomes a link", async () => {
    const deploy = {
      time: "2026-11-21T14:00:00Z",
      service: "edge",
      version: "2.4.0",
      kind: "rollback",
      status: "failed",
      actor: "ci",
      link: "javascript:alert(1)",
    } as const;
    await renderPage(<DeployList deploys={[deploy]} />);
    expect(screen.getByRole("listitem").textContent).toContain("edge rolled back to 2.4.0 by ci (failed)");
    expect(screen.queryByRole("link", { name: "pipeline" })).toBeNull();
  });
  it("a moment that is not known is a dash", async () => {
    const { container } = await renderPage(<When at="" />);
    expect(container.querySelector("main")?.textContent).toBe("–");
  });
});
