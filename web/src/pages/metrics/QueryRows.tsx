import { ActionIcon, Button, Menu } from "@mantine/core";
import { lazy, Suspense, useEffect, useState } from "react";
import { CopyButton } from "~/components/CopyButton";
import { Icon } from "~/components/Icon";
import { readHistory, remember } from "./history";
import classes from "./QueryRows.module.css";

const PromEditor = lazy(() => import("./PromEditor").then((module) => ({ default: module.PromEditor })));

interface Props {
  exprs: readonly string[];
  onRun: (exprs: string[]) => void;
}

interface Draft {
  id: number;
  text: string;
}

let nextId = 0;
const draftOf = (text: string): Draft => ({ id: nextId++, text });

/** One editor per query; Enter in any of them runs all. */
export function QueryRows({ exprs, onRun }: Props) {
  const [drafts, setDrafts] = useState<Draft[]>(() => (exprs.length > 0 ? exprs : [""]).map(draftOf));
  const joined = exprs.join("\n\u0000");
  // The address changed by a link or the back button: the editors follow.
  // biome-ignore lint/correctness/useExhaustiveDependencies: joined stands for exprs.
  useEffect(() => {
    setDrafts((old) => {
      if (old.map((draft) => draft.text).join("\n\u0000") === joined) return old;
      const texts = exprs.length > 0 ? exprs : [""];
      return texts.map((text, at) => (old[at] ? { id: old[at].id, text } : draftOf(text)));
    });
  }, [joined]);

  const run = (list: readonly Draft[]) => {
    const texts = list.map((draft) => draft.text.trim()).filter(Boolean);
    for (const text of texts) remember(text);
    onRun(texts);
  };
  const change = (id: number, text: string) =>
    setDrafts((old) => old.map((draft) => (draft.id === id ? { ...draft, text } : draft)));
  const removeRow = (id: number) => {
    const rest = drafts.filter((draft) => draft.id !== id);
    setDrafts(rest);
    run(rest);
  };
  const focusFirst = window.matchMedia("(min-width: 900px)").matches;

  return (
    <div className={classes.rows}>
      {drafts.map((draft, at) => (
        <div key={draft.id} className={classes.row}>
          <Suspense fallback={<div className={classes.waiting}>{draft.text}</div>}>
            <PromEditor
              value={draft.text}
              label={`PromQL query ${at + 1}`}
              autoFocus={at === 0 && focusFirst}
              onChange={(text) => change(draft.id, text)}
              onRun={() => run(drafts)}
            />
          </Suspense>
          <CopyButton text={draft.text} label="Copy the query" />
          {drafts.length > 1 && (
            <ActionIcon
              variant="subtle"
              color="gray"
              aria-label={`Remove query ${at + 1}`}
              onClick={() => removeRow(draft.id)}
            >
              <Icon name="close" size={15} />
            </ActionIcon>
          )}
        </div>
      ))}
      <div className="row">
        <Button onClick={() => run(drafts)}>Run</Button>
        <Button
          variant="default"
          leftSection={<Icon name="plus" size={14} />}
          onClick={() => setDrafts((old) => [...old, draftOf("")])}
        >
          Add a query
        </Button>
        <HistoryMenu
          onPick={(text) => {
            const last = drafts[drafts.length - 1];
            const next =
              last && last.text.trim() === ""
                ? drafts.map((draft) => (draft === last ? { ...draft, text } : draft))
                : [...drafts, draftOf(text)];
            setDrafts(next);
            run(next);
          }}
        />
      </div>
    </div>
  );
}

function HistoryMenu({ onPick }: { onPick: (text: string) => void }) {
  const [items, setItems] = useState<string[]>([]);
  return (
    <Menu shadow="md" width={460} position="bottom-start" onOpen={() => setItems(readHistory())}>
      <Menu.Target>
        <Button variant="default">History</Button>
      </Menu.Target>
      <Menu.Dropdown style={{ maxWidth: "calc(100vw - 24px)", maxHeight: 360, overflow: "auto" }}>
        {items.length === 0 && <Menu.Label>No query was run in this browser yet.</Menu.Label>}
        {items.map((item) => (
          <Menu.Item key={item} onClick={() => onPick(item)}>
            <code>{item}</code>
          </Menu.Item>
        ))}
      </Menu.Dropdown>
    </Menu>
  );
}
