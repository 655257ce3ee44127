import { tenantHeaders } from "~/api/tenant";

/** Puts text on the clipboard; also where the page is not served over HTTPS and the clipboard API is absent. */
export async function copyText(text: string): Promise<boolean> {
  try {
    if (navigator.clipboard) {
      await navigator.clipboard.writeText(text);
      return true;
    }
  } catch {
    // Refused: the older way may still work.
  }
  const area = document.createElement("textarea");
  area.value = text;
  area.style.position = "fixed";
  area.style.opacity = "0";
  document.body.append(area);
  area.select();
  const done = document.execCommand("copy");
  area.remove();
  return done;
}

/** A GET as a curl command with the page's own origin and tenant. */
export function asCurl(pathAndQuery: string): string {
  const tenant = Object.entries(tenantHeaders(pathAndQuery))
    .map(([name, value]) => `-H '${name}: ${value.replace(/'/g, "'\\''")}' `)
    .join("");
  return `curl -s ${tenant}'${window.location.origin}${pathAndQuery.replace(/'/g, "%27")}'`;
}
