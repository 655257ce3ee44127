import { screen, waitFor } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { beforeEach, expect, test, vi } from "vitest";
import { get, knock, whenLoggedOut } from "~/api/client";
import { ErrorNote } from "~/components/ErrorNote";
import { useWho } from "~/components/useWho";
import { WhoField } from "~/components/WhoField";
import { LoginPage } from "~/pages/login/LoginPage";
import { SetupPage } from "~/pages/setup/SetupPage";
import { Problems } from "~/shell/Problems";
import { toLogin } from "~/shell/toLogin";
import { UserMenu } from "~/shell/UserMenu";
import { apiError, renderPage, stubApi } from "~/test/render";
import { me } from "~/test/samples";
import { may } from "./me";
import { leaveFor, returnPath, returnTo } from "./returnTo";

vi.mock("./returnTo", async (original) => ({
  ...(await original<typeof import("./returnTo")>()),
  leaveFor: vi.fn(),
}));
beforeEach(() => vi.mocked(leaveFor).mockClear());

const local = { name: "local", kind: "password", shown: "Name and password" };
const dex = { name: "dex", kind: "redirect", shown: "dex", path: "/auth/oidc/dex/start" };
const here = "https://sb.example";

test("one goes on to a page of this origin only", () => {
  expect(returnTo("/slos/edge?last=1h#x", here)).toBe(`${here}/slos/edge?last=1h#x`);
  for (const asked of [
    undefined,
    "",
    "https://evil.example/",
    "//evil.example",
    "/\\evil.example",
    "/\t/evil.example",
    "javascript:alert(1)",
    "slos",
    "/login?return=/login",
    "/setup#x",
    "/%2e/../login",
    "/a/../../login",
  ])
    expect(returnTo(asked, here), String(asked)).toBe(`${here}/`);
  // A path that would be a host if it were given alone.
  for (const asked of ["/x/..//evil.example", "/.//evil.example"]) {
    expect(new URL(returnTo(asked, here)).host).toBe("sb.example");
    expect(returnPath(asked, here)).toBe("/");
  }
  expect(returnPath("/logs?q=a", here)).toBe("/logs?q=a");
});

test("a name and a password open the page that was asked for", async () => {
  const calls = stubApi({ "/sb/v1/login-methods": { methods: [local] }, "/sb/v1/login": { name: "Ann" } });
  await renderPage(<LoginPage />, { url: "/login?return=/slos/edge", path: "/login" });
  expect(await screen.findByText("to go on to /slos/edge")).toBeTruthy();
  await userEvent.type(await screen.findByLabelText(/^Name/), "ann");
  await userEvent.type(screen.getByLabelText(/^Password/), "a passphrase of ann");
  await userEvent.click(screen.getByRole("button", { name: "Log in" }));
  await waitFor(() => expect(leaveFor).toHaveBeenCalledWith(`${window.location.origin}/slos/edge`));
  const sent = calls.find((call) => call.path === "/sb/v1/login");
  expect(JSON.parse(sent?.body ?? "")).toEqual({ name: "ann", password: "a passphrase of ann" });
});

test("a refused login says why, stays, and forgets the password", async () => {
  let answer = apiError(
    401,
    "unauthenticated",
    "Not logged in: the name, the password or the token is not right.",
  );
  stubApi({ "/sb/v1/login-methods": { methods: [local] }, "/sb/v1/login": () => answer });
  await renderPage(<LoginPage />, { url: "/login", path: "/login" });
  const password = await screen.findByLabelText<HTMLInputElement>(/^Password/);
  const attempt = async () => {
    await userEvent.type(password, "guess");
    await userEvent.click(screen.getByRole("button", { name: "Log in" }));
  };
  await userEvent.type(screen.getByLabelText(/^Name/), "ann");
  await attempt();
  expect((await screen.findByRole("alert")).textContent).toBe("The name or the password is not right.");
  expect(password.value).toBe("");
  answer = apiError(429, "overloaded", "Too many attempts. Wait, then try again.");
  await attempt();
  await waitFor(() => expect(screen.getByRole("alert").textContent).toMatch(/Too many attempts/));
  expect(leaveFor).not.toHaveBeenCalled();
});

test("a provider is a link that comes back to the page", async () => {
  stubApi({ "/sb/v1/login-methods": { methods: [local, dex] } });
  await renderPage(<LoginPage />, { url: "/login?return=/logs?q=a%26b", path: "/login" });
  const link = await screen.findByRole("link", { name: "Log in with dex" });
  expect(link.getAttribute("href")).toMatch(/^\/auth\/oidc\/dex\/start\?return_to=%2Flogs%3Fq%3Da/);
});

test("without authentication no login is asked", async () => {
  stubApi({ "/sb/v1/login-methods": { methods: [] } });
  await renderPage(<LoginPage />, { url: "/login", path: "/login" });
  expect(await screen.findByRole("heading", { name: "No login is needed" })).toBeTruthy();
});

test("the first link makes an administrator, another a password", async () => {
  const calls = stubApi({ "/sb/v1/first-admin": { name: "root" }, "/sb/v1/password": { name: "ann" } });
  const first = await renderPage(<SetupPage />, { url: "/setup#first-ABC", path: "/setup" });
  const become = await screen.findByRole("button", { name: "Become administrator" });
  await userEvent.type(screen.getByLabelText(/^Name/), "root");
  await userEvent.type(screen.getByLabelText(/^Password/), "elevenchars");
  await userEvent.tab();
  expect(screen.getByText("11 of 12 characters")).toBeTruthy();
  expect(become).toHaveProperty("disabled", true);
  await userEvent.type(screen.getByLabelText(/^Password/), "!");
  await userEvent.click(become);
  await waitFor(() => expect(leaveFor).toHaveBeenCalledWith(`${window.location.origin}/`));
  expect(JSON.parse(calls[0]?.body ?? "")).toEqual({
    link: "first-ABC",
    name: "root",
    password: "elevenchars!",
  });
  first.unmount();
  await renderPage(<SetupPage />, { url: "/setup#eyJ.abc", path: "/setup" });
  await userEvent.type(await screen.findByLabelText(/^Password/), "a passphrase of ann");
  await userEvent.click(screen.getByRole("button", { name: "Set the password" }));
  await waitFor(() => expect(calls.at(-1)?.path).toBe("/sb/v1/password"));
  expect(JSON.parse(calls.at(-1)?.body ?? "")).toEqual({ link: "eyJ.abc", password: "a passphrase of ann" });
});

test("a link that was used says so; one without its secret too", async () => {
  stubApi({ "/sb/v1/password": apiError(401, "unauthenticated", "This link is not valid any more.") });
  const view = await renderPage(<SetupPage />, { url: "/setup#eyJ.abc", path: "/setup" });
  await userEvent.type(await screen.findByLabelText(/^Password/), "a passphrase of ann");
  await userEvent.click(screen.getByRole("button", { name: "Set the password" }));
  expect((await screen.findByRole("alert")).textContent).toBe("This link is not valid any more.");
  view.unmount();
  await renderPage(<SetupPage />, { url: "/setup", path: "/setup" });
  expect(await screen.findByRole("heading", { name: "This link is not whole" })).toBeTruthy();
});

test("a 401 asks for a login, but not where a proof is wrong", async () => {
  const told = vi.fn();
  whenLoggedOut(told);
  const refused = apiError(401, "unauthenticated", "Nobody is logged in.");
  stubApi({
    "/sb/v1/slos": refused,
    "/sb/v1/login": refused,
    "/sb/v1/logs": apiError(403, "forbidden", "no"),
  });
  await expect(knock("/sb/v1/login", {})).rejects.toThrow("Nobody is logged in.");
  await expect(get("/sb/v1/logs")).rejects.toThrow();
  expect(told).not.toHaveBeenCalled();
  await expect(get("/sb/v1/slos")).rejects.toThrow();
  expect(told).toHaveBeenCalledTimes(1);
  whenLoggedOut(() => {});
});

test("the login knows the page it was asked from, and is asked for once", () => {
  const navigate = vi.fn();
  const at = (href: string) => {
    const url = new URL(href, here);
    toLogin({ latestLocation: { pathname: url.pathname, href } as never, navigate });
  };
  at("/logs?q=a#b");
  expect(navigate).toHaveBeenCalledWith({ to: "/login", search: { return: "/logs?q=a#b" }, replace: true });
  at("/login?return=/");
  at("/setup#first-x");
  expect(navigate).toHaveBeenCalledTimes(1);
});

test("what one may not see says what is missing and where to look", async () => {
  const { ApiError } = await import("~/api/client");
  const error = new ApiError("Ann may not do this: it needs the permission audit.read.", 403, "forbidden");
  await renderPage(
    <>
      <ErrorNote what="the audit log" error={error} />
      <Problems status={undefined} unreachable={error} />
    </>,
  );
  const note = screen.getByRole("alert");
  expect(note.textContent).toContain("You may not do this: the audit log.");
  expect(note.textContent).toContain("audit.read");
  expect(screen.getByRole("link", { name: "What you may, and why" }).getAttribute("href")).toBe("/me");
});

function Who() {
  return <WhoField who={useWho()} />;
}

test("the name of who is logged in is not claimed; nobody in particular claims one", async () => {
  stubApi({ "/sb/v1/me": me });
  const view = await renderPage(
    <>
      <Who />
      <UserMenu />
    </>,
  );
  const field = await screen.findByDisplayValue<HTMLInputElement>("Ann Lee");
  expect(field.readOnly).toBe(true);
  await userEvent.click(await screen.findByRole("button", { name: "Logged in as Ann Lee" }));
  expect(await screen.findByRole("menuitem", { name: "Log out" })).toBeTruthy();
  view.unmount();
  stubApi({ "/sb/v1/me": { ...me, kind: "nobody", name: "" } });
  await renderPage(
    <>
      <Who />
      <UserMenu />
    </>,
  );
  const claimed = screen.getByRole<HTMLInputElement>("textbox");
  await userEvent.type(claimed, "kim");
  expect(claimed.value).toBe("kim");
  expect(screen.queryByRole("button", { name: /Logged in/ })).toBeNull();
});

test("logging out ends the session and leaves every page", async () => {
  const calls = stubApi({ "/sb/v1/me": me, "/sb/v1/logout": { logged_out: true } });
  await renderPage(<UserMenu />);
  await userEvent.click(await screen.findByRole("button", { name: "Logged in as Ann Lee" }));
  await userEvent.click(await screen.findByRole("menuitem", { name: "Log out" }));
  await waitFor(() => expect(leaveFor).toHaveBeenCalledWith("/login"));
  expect(calls.at(-1)?.path).toBe("/sb/v1/logout");
});

test("the provider's session ends with ours, where there is one", async () => {
  stubApi({
    "/sb/v1/me": me,
    "/sb/v1/logout": { logged_out: true, end_session: "https://login.example/end?client_id=signalbox" },
  });
  await renderPage(<UserMenu />);
  await userEvent.click(await screen.findByRole("button", { name: "Logged in as Ann Lee" }));
  await userEvent.click(await screen.findByRole("menuitem", { name: "Log out" }));
  await waitFor(() => expect(leaveFor).toHaveBeenCalledWith("https://login.example/end?client_id=signalbox"));
});

test("who has no permission may not, who need not log in may", () => {
  const ann = me as never;
  expect(may(ann, "metrics.read")).toBe(true);
  expect(may(ann, "audit.read")).toBe(false);
  expect(may(undefined, "audit.read")).toBe(true);
});
