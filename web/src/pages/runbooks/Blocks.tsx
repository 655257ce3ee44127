import type { ReactNode } from "react";
import type { RunbookBlock, RunbookSpan } from "~/api/types";
import { CopyButton } from "~/components/CopyButton";
import { RunQuery } from "./RunQuery";

/** The server serves text in blocks and never markup: nothing of it is taken for HTML. */
export function Blocks({ blocks }: { blocks: readonly RunbookBlock[] }) {
  // Blocks have no names of their own, and never move.
  return <>{blocks.map((block, i) => keyed(`${i}${block.kind}`, <Block block={block} />))}</>;
}

function keyed(key: string, node: ReactNode) {
  return (
    <div key={key} style={{ minWidth: 0 }}>
      {node}
    </div>
  );
}

/** Where a link may lead: the server has refused all others, and an older one may not have. */
export function safeHref(href: string): string | undefined {
  return /^(https?:\/\/[^\s\\]+|\/(?![/\\])[^\s\\]*)$/i.test(href) ? href : undefined;
}

function Spans({ spans = [] }: { spans?: readonly RunbookSpan[] | undefined }) {
  return (
    <>
      {spans.map((span, i) => {
        let node: ReactNode = span.text;
        if (span.code) node = <code>{node}</code>;
        if (span.strong) node = <strong>{node}</strong>;
        if (span.em) node = <em>{node}</em>;
        const href = span.href ? safeHref(span.href) : undefined;
        if (href) node = <a href={href}>{node}</a>;
        return <span key={`${i}${span.text}`}>{node}</span>;
      })}
    </>
  );
}

function Block({ block }: { block: RunbookBlock }) {
  switch (block.kind) {
    case "heading":
      return (block.level ?? 2) > 2 ? (
        <h3>
          <Spans spans={block.spans} />
        </h3>
      ) : (
        <h2>
          <Spans spans={block.spans} />
        </h2>
      );
    case "paragraph":
      return (
        <p>
          <Spans spans={block.spans} />
        </p>
      );
    case "list":
      return <Items block={block} />;
    case "quote":
      return (
        <blockquote>
          <Blocks blocks={block.items?.[0] ?? []} />
        </blockquote>
      );
    case "query":
      return <RunQuery language={block.language ?? ""} text={block.text ?? ""} />;
    case "code":
      return (
        <div className="row" style={{ flexWrap: "nowrap", alignItems: "flex-start" }}>
          <pre tabIndex={0} style={{ overflowX: "auto", flex: 1, minWidth: 0 }}>
            {block.text}
          </pre>
          <CopyButton text={block.text ?? ""} label="Copy the commands" />
        </div>
      );
    case "table":
      return <Rows rows={block.rows ?? []} />;
    default:
      return <hr />;
  }
}

function Items({ block }: { block: RunbookBlock }) {
  const items = (block.items ?? []).map((item, i) => (
    <li key={`${i}${item.length}`}>
      <Blocks blocks={item} />
    </li>
  ));
  return block.ordered ? <ol>{items}</ol> : <ul>{items}</ul>;
}

function Rows({ rows }: { rows: readonly (readonly RunbookSpan[][])[] }) {
  return (
    <table className="data">
      <tbody>
        {rows.map((row, i) => (
          <tr key={`${i}${row.length}`}>
            {row.map((cell, j) => (
              <td key={`${j}${cell.length}`}>
                <Spans spans={cell} />
              </td>
            ))}
          </tr>
        ))}
      </tbody>
    </table>
  );
}
