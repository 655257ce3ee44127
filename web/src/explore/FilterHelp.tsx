import type { Signal } from "~/api/queries";

const shared: [string, string][] = [
  ['word or "two words"', "in the message or the name"],
  ["service:edge", "the field is exactly that"],
  ["version:2.4.*", "begins with"],
  ["region:*", "is set at all"],
  ["/time(out|d out)/", "a regular expression"],
  ["AND  OR  NOT  ( )", "combine; a space is AND"],
];

const own: Record<Signal, [string, string][]> = {
  logs: [
    ["level:error", "trace, debug, info, warn, error, fatal"],
    ["trace_id:4bf9…", "the lines of one trace"],
  ],
  traces: [
    ["status:error", "failed spans"],
    ["duration:>300ms", "slower than; also >=, <, <="],
    ['name:"GET /v1/layouts"', "the span's name"],
  ],
};

/** The filter language on one card. */
export function FilterHelp({ kind }: { kind: Signal }) {
  return (
    <table className="data">
      <tbody>
        {[...own[kind], ...shared].map(([example, meaning]) => (
          <tr key={example}>
            <td>
              <code>{example}</code>
            </td>
            <td className="small">{meaning}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
