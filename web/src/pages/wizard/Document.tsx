import { Button, Select } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import { documentsQuery } from "~/api/backtest";
import { slosQuery } from "~/api/queries";
import { CopyButton } from "~/components/CopyButton";
import { StateMark } from "~/components/StateMark";
import { formatWindow } from "~/format/duration";
import { encodeSets, toDrafts } from "~/pages/backtest/documents";
import classes from "./Document.module.css";
import { openSlo, type Proposal } from "./propose";

interface Props {
  service: string;
  proposal: Proposal;
  percent: number;
}

/** The document to copy or download, and the command that checks it. */
export function Document({ service, proposal, percent }: Props) {
  const [window, setWindow] = useState("30d");
  const text = openSlo(service, proposal, percent, window);
  const file = `${proposal.name}.yaml`;
  const check = `signalbox check slos slos/${file}`;
  const client = useQueryClient();
  const navigate = useNavigate();
  // B is what is in force and this document; without a list of the former it is this document alone.
  const taken = useQuery(slosQuery).data?.slos.some((slo) => slo.name === proposal.name) ?? false;
  const replay = useMutation({
    mutationFn: async () => {
      const known = await client.ensureQueryData(documentsQuery).catch(() => ({}));
      const slos = toDrafts(known).filter((draft) => draft.kind === "slos" && draft.name !== file);
      return encodeSets({ a: [], b: [...slos, { kind: "slos", name: file, text }] });
    },
    onSuccess: (docs) => navigate({ to: "/backtest", search: (old) => ({ ...old, docs }) }),
  });
  const download = () => {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([text], { type: "application/yaml" }));
    link.download = file;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 1000);
  };
  return (
    <section className="panel stack tight" aria-label="Document">
      <div className="row between">
        <h2>{file}</h2>
        <div className="row">
          <Select
            aria-label="Window"
            size="xs"
            w={110}
            allowDeselect={false}
            value={window}
            onChange={(value) => setWindow(value ?? "30d")}
            data={["7d", "28d", "30d"].map((value) => ({ value, label: formatWindow(value) }))}
          />
          <Button
            variant="default"
            size="compact-sm"
            loading={replay.isPending}
            onClick={() => replay.mutate()}
          >
            Replay with it
          </Button>
          <CopyButton text={text} label="Copy the document" />
          <Button variant="default" size="compact-sm" onClick={download}>
            Download
          </Button>
        </div>
      </div>
      {taken && (
        <p>
          <StateMark tone="caution" word={`An SLO ${proposal.name} is in force.`} /> Change its document, or
          give this one another name: two of one name are refused.
        </p>
      )}
      <pre className={classes.code} tabIndex={0}>
        {text}
      </pre>
      <div className="row">
        <span>Save it under slo_files, check it, and reload:</span>
        <code>{check}</code>
        <CopyButton text={check} label="Copy the command" />
      </div>
    </section>
  );
}
