/**
 * Which tenant questions are asked as: what the address says under `tenant`, one name, or several with | between.
 * Empty leaves it to the server.
 */
let asked = "";

export const tenantHeader = "X-Scope-OrgID";

/** The shell says it before anything below it asks. */
export function askAs(tenant: string | undefined) {
  asked = tenant ?? "";
}

export function tenantAsked(): string {
  return asked;
}

/** The names in what an address says. */
export function tenantNames(text: string | undefined): string[] {
  return (text ?? "").split("|").filter(Boolean);
}

/** What concerns the caller and the process is asked as one tenant, the first, also while several are read. */
const ofOne = ["/sb/v1/me", "/sb/v1/status", "/sb/v1/tenants", "/sb/v1/logout"];

/** The headers with which a path is asked. */
export function tenantHeaders(path: string): Record<string, string> {
  if (!asked) return {};
  const one = ofOne.some((own) => path === own || path.startsWith(`${own}/`) || path.startsWith(`${own}?`));
  return { [tenantHeader]: one ? (tenantNames(asked)[0] ?? asked) : asked };
}
