import { type APIRequest, type APIRequestContext, type Browser, expect, type Page } from "@playwright/test";

// The server that asks everybody who they are, and its people. scripts/test-browser.sh starts it and hands over the
// link that its console shows; without it there is nothing to test here.
export const server = process.env.SIGNALBOX_TRUST_URL ?? "";
export const firstAdmin = process.env.SIGNALBOX_FIRST_ADMIN ?? "";

export const root = { name: "root", password: "four lamps over a wet harbour" };

type Person = typeof root;

/** Logs in by the API; the context then has the session. */
export async function login(request: APIRequestContext, who: Person) {
  const answer = await request.post(`${server}/sb/v1/login`, { data: who });
  expect(answer.status(), await answer.text()).toBe(200);
}

/** Asks the API as whoever the context is, and expects it to be done. */
export async function done<T>(
  request: APIRequestContext,
  method: string,
  path: string,
  data?: unknown,
): Promise<T> {
  const answer = await request.fetch(server + path, { method, ...(data === undefined ? {} : { data }) });
  expect(answer.ok(), `${method} ${path}: ${answer.status()} ${await answer.text()}`).toBe(true);
  const text = await answer.text();
  return (text ? JSON.parse(text) : undefined) as T;
}

/** Adds a local user who has chosen a password. */
export async function someone(request: APIRequest, name: string, groups: string[]): Promise<Person> {
  const admin = await request.newContext();
  await login(admin, root);
  const { path } = await done<{ path: string }>(admin, "POST", "/sb/v1/users", { name, groups });
  await admin.dispose();
  const who = { name, password: `the password of ${name}, which is long` };
  const anybody = await request.newContext();
  await done(anybody, "POST", "/sb/v1/password", { link: path.split("#")[1], password: who.password });
  await anybody.dispose();
  return who;
}

/** A page in a window of its own, of somebody who is logged in. */
export async function pageOf(browser: Browser, who?: Person): Promise<Page> {
  const context = await browser.newContext({ baseURL: server });
  if (who) await login(context.request, who);
  return context.newPage();
}
