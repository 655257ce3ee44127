import { fireEvent, screen } from "@testing-library/react";
import { expect, test } from "vitest";
import type { Status } from "~/api/types";
import { renderPage } from "~/test/render";
import { TenantSwitch, TogetherNote } from "./TenantSwitch";

const status = (...names: string[]) =>
  ({
    tenants: names.map((name) => ({ name, served: true, active_series: 0, disk_bytes: {}, at_rest: [] })),
  }) as unknown as Status;

test("who sees one tenant is offered no other", async () => {
  await renderPage(<TenantSwitch status={status("default")} />);
  expect(screen.queryByRole("button")).toBeNull();
});

test("a tenant, or several together, stand in the address", async () => {
  const { router } = await renderPage(<TenantSwitch status={status("default", "acme", "blue")} />, {
    url: "/?tz=utc",
  });
  const open = () => fireEvent.click(screen.getByRole("button", { expanded: false }));
  open();
  fireEvent.click(await screen.findByRole("button", { name: "acme" }));
  await expect.poll(() => router.state.location.search).toEqual({ tz: "utc", tenant: "acme" });
  expect(await screen.findByRole("button", { name: "Tenant acme" })).toBeTruthy();
  open();
  fireEvent.click(await screen.findByLabelText("Read blue together with others"));
  fireEvent.click(screen.getByLabelText("Read acme together with others"));
  fireEvent.click(screen.getByRole("button", { name: "Read 2 together" }));
  await expect.poll(() => router.state.location.search).toEqual({ tz: "utc", tenant: "acme|blue" });
  open();
  fireEvent.click(await screen.findByRole("button", { name: "No tenant chosen" }));
  await expect.poll(() => router.state.location.search).toEqual({ tz: "utc" });
});

test("what an address names can be left, also where it may not be seen", async () => {
  await renderPage(
    <>
      <TenantSwitch status={undefined} />
      <TogetherNote />
    </>,
    { url: "/?tenant=acme|blue" },
  );
  expect(screen.getByRole("button", { name: "2 tenants: acme and blue" })).toBeTruthy();
  expect(screen.getByRole("note").textContent).toContain("acme and blue are read together");
});
