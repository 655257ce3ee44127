import type { BacktestBody, BacktestResult } from "~/api/types";
import { formatDuration, significant } from "~/format/duration";
import { formatFigure } from "~/format/number";
import { toSheet } from "~/format/sheet";
import { answerOf, either, pairDeploys, pairPages } from "./outcome";

/** Every page, notification and deployment of both sets, one a line. */
export function toCsv(result: BacktestResult): string {
  const rows: (string | undefined)[][] = [
    ["set", "kind", "time", "end", "severity_or_verdict", "receiver_or_service", "what"],
  ];
  for (const set of result.sets) {
    for (const page of set.pages)
      rows.push([
        set.name,
        "notification",
        page.start,
        page.end,
        page.severity,
        page.receiver,
        page.alerts.join(" "),
      ]);
    for (const { deploy, verdict, summary } of set.deploys)
      rows.push([
        set.name,
        "deployment",
        deploy.time,
        "",
        verdict,
        deploy.service,
        `${deploy.version}: ${summary}`,
      ]);
  }
  return toSheet(rows);
}

export function figureText(value: number, unit: string | undefined): string {
  if (unit === "s") return formatDuration(value);
  if (unit === "%") return `${significant(value)} %`;
  return formatFigure(value, "count");
}

const md = (values: readonly string[]) =>
  `| ${values.map((value) => value.replaceAll("|", "\\|")).join(" | ")} |`;

/** The result for a change request: the sentence, the figures, pages and stopped deployments. */
export function toMarkdown(result: BacktestResult): string {
  const compared = result.sets.length > 1;
  const [a, b] = result.sets;
  const out = [
    `**${answerOf(result)}**`,
    "",
    `${result.start} to ${result.end}, judged every ${result.step}.`,
    "",
    md(["", ...(compared ? ["A", "B"] : ["figure"])]),
    md(["---", ...result.sets.map(() => "---:")]),
  ];
  for (const line of result.difference) {
    if (line.a === 0 && line.b === 0) continue;
    out.push(
      md([
        line.what,
        ...[line.a, line.b].slice(0, result.sets.length).map((value) => figureText(value, line.unit)),
      ]),
    );
  }
  const pages = pairPages(a?.pages ?? [], b?.pages ?? []);
  if (pages.length > 0) {
    out.push("", md(["when", "with", "severity", "to", "alerts", "lasted"]), md(Array(6).fill("---")));
    for (const pair of pages) {
      const one = either(pair);
      const side = !compared ? "A" : pair.a && pair.b ? "A and B" : pair.a ? "A" : "B";
      out.push(
        md([
          one.start,
          side,
          one.severity,
          one.receiver,
          [...new Set(one.alerts)].join(", "),
          formatDuration(one.seconds),
        ]),
      );
    }
  }
  const stops = pairDeploys(a?.deploys ?? [], b?.deploys ?? []).filter(
    (pair) => pair.a?.verdict !== "allow" || (pair.b && pair.b.verdict !== "allow"),
  );
  if (stops.length > 0) {
    out.push(
      "",
      md(["deployment", "A", ...(compared ? ["B"] : []), "why"]),
      md(Array(compared ? 4 : 3).fill("---")),
    );
    for (const pair of stops) {
      const one = pair.b ?? either(pair);
      out.push(
        md([
          `${one.deploy.time} ${one.deploy.service} ${one.deploy.version}`,
          pair.a?.verdict ?? "–",
          ...(compared ? [pair.b?.verdict ?? "–"] : []),
          one.summary,
        ]),
      );
    }
  }
  for (const note of result.notes) out.push("", `Note: ${note}`);
  return out.join("\n");
}

/** The request as a command; the job's id in its answer is asked for until it has ended. */
export function toCurl(body: BacktestBody, origin: string): string {
  const json = JSON.stringify(body).replaceAll("'", "'\\''");
  return `curl -s -X POST '${origin}/sb/v1/backtest' -H 'Content-Type: application/json' -d '${json}'`;
}
