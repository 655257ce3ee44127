import { Button, Select } from "@mantine/core";
import { useState } from "react";
import { CopyButton } from "~/components/CopyButton";
import { formatWindow } from "~/format/duration";
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
          <CopyButton text={text} label="Copy the document" />
          <Button variant="default" size="compact-sm" onClick={download}>
            Download
          </Button>
        </div>
      </div>
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
