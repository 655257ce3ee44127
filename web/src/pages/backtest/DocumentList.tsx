import { ActionIcon, Button, Menu } from "@mantine/core";
import { useRef } from "react";
import { Icon } from "~/components/Icon";
import { plural } from "~/format/number";
import classes from "./Backtest.module.css";
import { type Draft, fileName, freeName, type Kind, kindOf, kinds, kindWord } from "./documents";
import type { Side } from "./outcome";

interface Props {
  side: Side;
  drafts: readonly Draft[];
  /** The files in force, to copy from. */
  inForce: readonly Draft[];
  /** Names of the documents with a mistake. */
  bad: ReadonlySet<string>;
  open: string | undefined;
  onOpen: (name: string) => void;
  onChange: (drafts: Draft[], open?: string) => void;
}

const copyWord: Record<Kind, string> = {
  slos: "Copy the SLOs in force",
  policies: "Copy the budget policies in force",
  rules: "Copy the alert rules in force",
};

/** The documents of one side: open, add, take away. */
export function DocumentList({ side, drafts, inForce, bad, open, onOpen, onChange }: Props) {
  const files = useRef<HTMLInputElement>(null);
  const original = new Map(inForce.map((draft) => [draft.name, draft.text]));
  const add = (more: readonly Draft[], openLast = false) => {
    const next = [...drafts];
    for (const draft of more) next.push({ ...draft, name: freeName(next, draft.name) });
    onChange(next, openLast ? next.at(-1)?.name : undefined);
  };
  const read = async (list: FileList | null) => {
    const more = await Promise.all(
      [...(list ?? [])].map(async (file) => {
        const text = await file.text();
        return { kind: kindOf(text), name: file.name, text };
      }),
    );
    if (more.length > 0) add(more, true);
  };
  return (
    <div className="stack tight">
      {drafts.length > 0 && (
        <ul className={classes.docs} aria-label={`Documents of ${side}`}>
          {drafts.map((draft) => {
            const was = original.get(draft.name);
            const mark = bad.has(draft.name)
              ? "cannot be read"
              : was === undefined
                ? "new"
                : was === draft.text
                  ? "as in force"
                  : "changed";
            return (
              <li key={draft.name} className={classes.doc} data-open={draft.name === open}>
                <button
                  type="button"
                  className={classes.docName}
                  aria-expanded={draft.name === open}
                  onClick={() => onOpen(draft.name)}
                  data-row
                >
                  {fileName(draft.name)}
                </button>
                <span className={classes.mark} data-mark={mark}>
                  {kindWord[draft.kind]}, {mark}
                </span>
                <ActionIcon
                  variant="subtle"
                  color="gray"
                  size="sm"
                  aria-label={`Take ${fileName(draft.name)} out of ${side}`}
                  onClick={() => onChange(drafts.filter((other) => other.name !== draft.name))}
                >
                  <Icon name="close" size={14} />
                </ActionIcon>
              </li>
            );
          })}
        </ul>
      )}
      <div className="row">
        <Menu position="bottom-start" shadow="md">
          <Menu.Target>
            <Button variant="default" size="compact-sm" leftSection={<Icon name="plus" size={14} />}>
              Add documents to {side}
            </Button>
          </Menu.Target>
          <Menu.Dropdown>
            {kinds.map((kind) => {
              const some = inForce.filter(
                (draft) => draft.kind === kind && !drafts.some((other) => other.name === draft.name),
              );
              return (
                some.length > 0 && (
                  <Menu.Item key={kind} onClick={() => add(some)}>
                    {copyWord[kind]} ({plural(some.length, "file")})
                  </Menu.Item>
                )
              );
            })}
            <Menu.Item onClick={() => add([{ kind: "slos", name: "pasted.yaml", text: "" }], true)}>
              Paste YAML
            </Menu.Item>
            <Menu.Item onClick={() => files.current?.click()}>Open files</Menu.Item>
          </Menu.Dropdown>
        </Menu>
        {drafts.length > 0 && (
          <button type="button" className="linkish small" onClick={() => onChange([])}>
            {side === "A" ? "Back to what is in force" : "Empty B"}
          </button>
        )}
      </div>
      <input
        ref={files}
        type="file"
        multiple
        hidden
        accept=".yaml,.yml"
        aria-label={`Files for ${side}`}
        onChange={(event) => {
          void read(event.currentTarget.files);
          event.currentTarget.value = "";
        }}
      />
    </div>
  );
}
