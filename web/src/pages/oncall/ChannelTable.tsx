import { useQuery } from "@tanstack/react-query";
import { channelsQuery, notServed } from "~/api/escalations";
import type { ChannelState } from "~/api/types";
import { may, useMe } from "~/auth/me";
import { Answer } from "~/components/Answer";
import { type Column, DataTable } from "~/components/DataTable";
import { EmptyNote } from "~/components/EmptyNote";
import { StateMark } from "~/components/StateMark";
import { When } from "~/components/When";
import { formatCount } from "~/format/number";
import { ChannelTest } from "./ChannelTest";

const columns: Column<ChannelState>[] = [
  { key: "channel", head: "Channel", cell: (one) => <strong>{one.channel}</strong> },
  { key: "state", head: "State", cell: (one) => <State {...one} /> },
  {
    key: "success",
    head: "Last success",
    cell: (one) => (one.last_success ? <When at={one.last_success} /> : "–"),
  },
  { key: "error", head: "Last failure", cell: (one) => <Failure {...one} /> },
  {
    key: "waiting",
    head: "Under way",
    numeric: true,
    cell: (one) => `${formatCount(one.waiting)} of ${formatCount(one.most)}`,
  },
  {
    key: "rate",
    head: "Rate",
    numeric: true,
    cell: (one) => `${one.per_second}/s, ${formatCount(one.burst)} at once`,
  },
];

function State({ down, last_success, last_error_at }: ChannelState) {
  if (down) return <StateMark tone="danger" word="down" />;
  if (last_error_at && (!last_success || last_error_at > last_success)) {
    return <StateMark tone="caution" word="failed last" />;
  }
  return last_success ? <StateMark tone="ok" word="up" /> : <StateMark tone="unknown" word="not used yet" />;
}

function Failure({ last_error, last_error_at }: ChannelState) {
  if (!last_error_at) return "–";
  return (
    <>
      <When at={last_error_at} />: {last_error}
    </>
  );
}

/** What carries messages to people, and whether it does. */
export function ChannelTable() {
  const me = useMe();
  const query = useQuery(channelsQuery);
  if (notServed(query.error)) return null;
  return (
    <section className="panel stack tight">
      <h2>Channels</h2>
      <p className="small dim">
        Since this process began: what the services of messages last took and refused.
      </p>
      <Answer query={query} what="the channels" height={120}>
        {({ channels }) =>
          channels?.length ? (
            <>
              <DataTable label="Channels" rows={channels} columns={columns} rowKey={(one) => one.channel} />
              {may(me, "oncall.swap") && <ChannelTest channels={channels.map((one) => one.channel)} />}
            </>
          ) : (
            <EmptyNote title="No channel is set up.">
              <code>channels</code> of the configuration say by which services people are told.
            </EmptyNote>
          )
        }
      </Answer>
    </section>
  );
}
