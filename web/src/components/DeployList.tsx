import { Link } from "@tanstack/react-router";
import type { Deploy } from "~/api/types";
import classes from "./DeployList.module.css";
import { When } from "./When";

const verbs: Record<Deploy["kind"], string> = {
  deploy: "deployed",
  rollback: "rolled back to",
  config: "configured",
  remediation: "remediated",
};

/** What changed, newest first, each in a sentence. */
export function DeployList({
  deploys,
  withService = true,
}: {
  deploys: readonly Deploy[];
  withService?: boolean;
}) {
  return (
    <ul className={classes.list}>
      {deploys.map((deploy) => (
        <li key={deploy.id ?? `${deploy.time}${deploy.service}${deploy.version}`} className={classes.item}>
          <span className={classes.time}>
            <When at={deploy.time ?? ""} ago />
          </span>
          <span>
            {withService && (
              <>
                <Link to="/services/$name" params={{ name: deploy.service }}>
                  {deploy.service}
                </Link>{" "}
              </>
            )}
            {verbs[deploy.kind] ?? deploy.kind} <strong>{deploy.version}</strong>
            {deploy.environment ? ` in ${deploy.environment}` : ""}
            {deploy.region ? `, ${deploy.region}` : ""}
            {deploy.actor ? ` by ${deploy.actor}` : ""}
            {deploy.status !== "succeeded" ? ` (${deploy.status})` : ""}
            {deploy.link && /^https?:/.test(deploy.link) && (
              <>
                {" "}
                <a href={deploy.link} rel="noreferrer">
                  pipeline
                </a>
              </>
            )}
            {deploy.message && <span className="dim"> {deploy.message}</span>}
          </span>
        </li>
      ))}
    </ul>
  );
}
