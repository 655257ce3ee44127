import { Link } from "@tanstack/react-router";
import type { IncidentSource } from "~/api/types";
import { parseSearch } from "~/shell/search";

/** What a source is called, by its kind. */
export const sourceWord: Record<IncidentSource["kind"], string> = {
  page: "Page",
  alert: "Alert",
  deploy: "Deployment",
  gate: "Gate",
  remedy: "Rollback",
  metric: "Metric",
  log: "Log lines",
  audit: "Audit log",
  note: "Note",
};

/**
 * The name of a source, leading to where it is seen. The server's links are for programs where there is a page for
 * people, so the kind decides; a deployment's may lead to another site, as whoever sent it said.
 */
export function SourceLink({ source }: { source: IncidentSource }) {
  const { kind, id, link = "" } = source;
  const word = sourceWord[kind];
  switch (kind) {
    case "page":
      return (
        <Link to="/alerts" search={{ open: id }}>
          {word}
        </Link>
      );
    case "alert":
      return (
        <Link to="/alerts/$alert" params={{ alert: id }}>
          {word}
        </Link>
      );
    case "gate":
      return (
        <Link to="/gate/$id" params={{ id }}>
          {word}
        </Link>
      );
    case "remedy":
      return (
        <Link to="/remedies" search={{ open: id }}>
          {word}
        </Link>
      );
    case "metric":
    case "log":
      return (
        <Link to={kind === "log" ? "/logs" : "/query"} search={parseSearch(link.split("?")[1] ?? "")}>
          {word}
        </Link>
      );
    case "audit":
      return <Link to="/audit">{word}</Link>;
    case "deploy":
      if (link.startsWith("/services/")) {
        return (
          <Link to="/services/$name" params={{ name: link.slice("/services/".length) }}>
            {word}
          </Link>
        );
      }
      if (/^https?:\/\//i.test(link)) {
        return (
          <a href={link} rel="noreferrer">
            {word}
          </a>
        );
      }
      return word;
    default:
      return word;
  }
}
