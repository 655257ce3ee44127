import { Select } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { rangeQuery } from "~/api/queries";
import { Answer } from "~/components/Answer";
import { formatRatio } from "~/format/number";
import { WhatIfFacts } from "~/pages/slo/WhatIfFacts";
import { type Hour, hours, suggestTarget, targets } from "~/slo/whatif";
import { parseSpan } from "~/time/range";
import { Document } from "./Document";
import { lookBack, type Proposal } from "./propose";

/** One indicator: what was achieved, the target that leaves some budget, and the document. */
export function ProposalView({ service, proposal }: { service: string; proposal: Proposal }) {
  const seconds = parseSpan(lookBack) ?? 0;
  const end = Math.floor(Date.now() / 3_600_000) * 3_600_000;
  const range = { from: end - seconds * 1000 + 3_600_000, to: end };
  const error = useQuery(rangeQuery(proposal.error.replaceAll("$window", "1h"), range, 3600));
  const total = useQuery(rangeQuery(`sum(increase(${proposal.total}[1h]))`, range, 3600));
  const both = { ...error, data: total.data && error.data, error: error.error ?? total.error };
  return (
    <Answer query={both} what="the last 30 days" height={260}>
      {(data) => <Target service={service} proposal={proposal} list={hours(data.data, total.data?.data)} />}
    </Answer>
  );
}

interface Props {
  service: string;
  proposal: Proposal;
  list: readonly Hour[];
}

function Target({ service, proposal, list }: Props) {
  const [leave, setLeave] = useState("0.3");
  const [own, setOwn] = useState<string | null>(null);
  const total = list.reduce((sum, hour) => sum + hour.total, 0);
  const bad = list.reduce((sum, hour) => sum + hour.bad, 0);
  const suggested = suggestTarget(list, Number(leave));
  const percent = own ? Number(own) : (suggested ?? 90);
  return (
    <>
      <section className="panel stack">
        <h2>
          {total > 0
            ? `Achieved: ${formatRatio(1 - bad / total)} of ${proposal.words}.`
            : "Nothing was measured."}{" "}
          {suggested === undefined
            ? `No usual target would have been kept with ${formatRatio(Number(leave))} of the budget left: make it better first, or promise less.`
            : `Suggested: ${suggested} %, kept with at least ${formatRatio(Number(leave))} of the budget left.`}
        </h2>
        <div className="row" style={{ alignItems: "flex-end" }}>
          <Select
            label="Budget to leave unspent"
            allowDeselect={false}
            value={leave}
            onChange={(value) => setLeave(value ?? "0.3")}
            data={["0.1", "0.3", "0.5", "0.7"].map((value) => ({ value, label: formatRatio(Number(value)) }))}
          />
          <Select
            label="Target"
            allowDeselect={false}
            value={String(percent)}
            onChange={setOwn}
            data={targets.map((value) => ({
              value: String(value),
              label: `${value} %${value === suggested ? ", suggested" : ""}`,
            }))}
          />
        </div>
        <WhatIfFacts list={list} target={percent / 100} window={lookBack} />
        <p className="dim small">Arithmetic on hourly figures of the last 30 days.</p>
      </section>
      <Document service={service} proposal={proposal} percent={percent} />
    </>
  );
}
