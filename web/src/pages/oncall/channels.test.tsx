import { screen, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, it } from "vitest";
import { renderPage, stubApi } from "~/test/render";
import { ChannelTable } from "./ChannelTable";

const usual = { waiting: 0, most: 2000, per_second: 10, burst: 50, down: false };

it("the channels say how they fare, and take a test", async () => {
  stubApi({
    "/sb/v1/channels": {
      channels: [
        { ...usual, channel: "email", last_success: "2026-03-24T10:00:00Z" },
        {
          ...usual,
          channel: "ntfy",
          down: true,
          waiting: 3,
          per_second: 0.2,
          last_error: "no answer within 20s",
          last_error_at: "2026-03-24T10:05:00Z",
        },
        { ...usual, channel: "slack" },
        {
          ...usual,
          channel: "sms",
          last_success: "2026-03-24T10:00:00Z",
          last_error: "the number is none",
          last_error_at: "2026-03-24T10:01:00Z",
        },
      ],
    },
    "/sb/v1/channels/ntfy/test": { delivered: false, error: "no answer within 20s", tries: [{}, {}] },
  });
  await renderPage(<ChannelTable />);
  const rows = within(await screen.findByRole("table", { name: "Channels" })).getAllByRole("row");
  const texts = rows.slice(1).map((row) => row.textContent);
  expect(texts[0]).toMatch(/email.*up/);
  expect(texts[1]).toMatch(/ntfy.*down.*no answer within 20s.*3 of 2.?000.*0\.2\/s, 50 at once/);
  expect(texts[2]).toMatch(/slack.*not used yet/);
  expect(texts[3]).toMatch(/sms.*failed last.*the number is none/);

  const user = userEvent.setup();
  const form = screen.getByRole("form", { name: "Send a test" });
  const send = within(form).getByRole<HTMLButtonElement>("button", { name: "Send a test" });
  expect(send.disabled).toBe(true);
  await user.click(within(form).getByRole("combobox", { name: "Channel" }));
  await user.click(await screen.findByRole("option", { name: "ntfy" }));
  await user.type(within(form).getByRole("textbox", { name: "Address" }), "my-topic");
  await user.click(send);
  const outcome = await screen.findByText(/after 2 tries: no answer within 20s/);
  expect(outcome.textContent).toContain("Not delivered");
});
