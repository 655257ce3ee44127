import type { Deploy } from "~/api/types";
import type { Marker } from "./model";

/** Deployments as markers: the version, with the service where a chart shows several. */
export function deployMarkers(deploys: readonly Deploy[], withService = false): Marker[] {
  return deploys.flatMap((deploy) => {
    const ms = Date.parse(deploy.time ?? "");
    if (Number.isNaN(ms)) return [];
    const kind = deploy.kind === "deploy" ? "" : `${deploy.kind} `;
    const label = `${withService ? `${deploy.service} ` : ""}${kind}${deploy.version}`;
    const where = [deploy.environment, deploy.region].filter(Boolean).join(", ");
    const detail = [where, deploy.actor && `by ${deploy.actor}`, deploy.status].filter(Boolean).join(", ");
    return [{ time: ms / 1000, label, detail }];
  });
}
