import { tenantAsked } from "~/api/tenant";
import { useMe } from "~/auth/me";

/** Whether the page is about the installation's own tenant, whose business shipping is. */
export function useHome(): boolean {
  const me = useMe();
  return (tenantAsked() || me?.tenant || "default") === "default";
}
