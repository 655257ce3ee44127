/** The pages that are shown to who is not logged in. */
export const doors: readonly string[] = ["/login", "/setup"];

/**
 * Where to go after the login: the page that was asked for, as a whole address. Anything but a page of this
 * origin becomes the overview, so that no link to the login sends anybody elsewhere.
 */
export function returnTo(asked: string | undefined, origin = window.location.origin): string {
  const home = `${origin}/`;
  if (!asked?.startsWith("/")) return home;
  try {
    const url = new URL(asked, origin);
    // The whole address, for a path such as //elsewhere would be another host by itself.
    return url.origin === origin && !doors.includes(url.pathname) ? url.href : home;
  } catch {
    return home;
  }
}

/** The same without the origin, for a provider's ?return_to=. */
export function returnPath(asked: string | undefined, origin = window.location.origin): string {
  const path = returnTo(asked, origin).slice(origin.length);
  return path.startsWith("//") ? "/" : path;
}

/** Leaves with a whole load of the page, so that nothing read by one person is shown to the next. */
export function leaveFor(address: string) {
  window.location.replace(address);
}
