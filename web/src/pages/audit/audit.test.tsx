import { render, screen } from "@testing-library/react";
import { describe, expect, it } from "vitest";
import type { SLOStatus } from "~/api/types";
import { TamperedMark } from "~/components/TamperedMark";
import { shadesOf } from "~/pages/slo/SloCharts";
import { auditAnswer } from "./AuditPage";

describe("what was tampered with", () => {
  it("is said of the log and of what it proves", () => {
    const whole = { intact: true, entries: 12 };
    expect(auditAnswer(whole)).toBe("The audit log is as it was written: 12 entries.");
    expect(auditAnswer({ ...whole, touched: ["gate decision x: it was deleted"] })).toBe(
      "The audit log is as it was written; records in the database that it proves are not: 1.",
    );
  });

  it("is said of an SLO's correction where its chart shades it", () => {
    const one = {
      author: "kim",
      reason: "new disks",
      start: "2026-10-01T00:00:00Z",
      end: "2026-10-01T01:00:00Z",
    };
    const corrections = [one, { ...one, tampered: "it was changed in the database" }];
    expect(shadesOf({ corrections } as SLOStatus).map((shade) => shade.detail)).toEqual([
      "new disks, by kim",
      "new disks, by kim. Tampered with: it was changed in the database",
    ]);
  });

  it("is marked, and nothing else is", () => {
    const { rerender, container } = render(<TamperedMark what="This entry" />);
    expect(container.textContent).toBe("");
    rerender(<TamperedMark what="This entry" text="it was changed" />);
    expect(screen.getByRole("alert").textContent).toContain("Tampered with This entry: it was changed.");
  });

  it("is not said where nobody could look", () => {
    const text = "it was not compared with the audit log: that is still being read; ask again in a moment";
    render(<TamperedMark what="This correction" text={text} />);
    expect(screen.queryByRole("alert")).toBeNull();
    expect(screen.getByRole("status").textContent).toMatch(
      /^Not compared This correction: it was not compared/,
    );
    expect(document.body.textContent).not.toContain("Tampered");
  });
});
