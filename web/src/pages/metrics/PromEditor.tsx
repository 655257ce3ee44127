import {
  autocompletion,
  closeBrackets,
  closeBracketsKeymap,
  completionKeymap,
} from "@codemirror/autocomplete";
import { defaultKeymap, history, historyKeymap } from "@codemirror/commands";
import { bracketMatching, HighlightStyle, syntaxHighlighting } from "@codemirror/language";
import { lintKeymap } from "@codemirror/lint";
import { EditorState, Prec } from "@codemirror/state";
import { EditorView, keymap, placeholder } from "@codemirror/view";
import { tags } from "@lezer/highlight";
import { PromQLExtension } from "@prometheus-io/codemirror-promql";
import { useEffect, useRef } from "react";
import classes from "./PromEditor.module.css";

interface Props {
  value: string;
  label: string;
  autoFocus: boolean;
  onChange: (text: string) => void;
  onRun: () => void;
}

const highlight = HighlightStyle.define([
  { tag: [tags.keyword, tags.operatorKeyword, tags.modifier], color: "var(--sb-accent)", fontWeight: "600" },
  { tag: [tags.function(tags.variableName), tags.name], color: "var(--sb-accent)" },
  { tag: tags.labelName, color: "var(--sb-ok)" },
  { tag: tags.string, color: "var(--sb-caution)" },
  { tag: tags.number, color: "var(--sb-text)" },
  { tag: tags.comment, color: "var(--sb-dim)", fontStyle: "italic" },
  { tag: tags.invalid, color: "var(--sb-danger)" },
]);

/** Prometheus' own editor language: completion from this server, linting, Enter runs, Shift-Enter breaks the line. */
export function PromEditor({ value, label, autoFocus, onChange, onRun }: Props) {
  const host = useRef<HTMLDivElement>(null);
  const view = useRef<EditorView | null>(null);
  const handlers = useRef({ onChange, onRun });
  handlers.current = { onChange, onRun };
  const initial = useRef({ value, label, autoFocus });

  useEffect(() => {
    if (!host.current) return;
    const promQL = new PromQLExtension().setComplete({ remote: { url: "", cache: { maxAge: 60_000 } } });
    const editor = new EditorView({
      parent: host.current,
      state: EditorState.create({
        doc: initial.current.value,
        extensions: [
          history(),
          bracketMatching(),
          closeBrackets(),
          autocompletion({ icons: false }),
          syntaxHighlighting(highlight),
          placeholder("sum by (service) (rate(signalbox_span_duration_seconds_count[5m]))"),
          EditorView.lineWrapping,
          EditorView.contentAttributes.of({
            "aria-label": initial.current.label,
            "data-search": "",
            autocapitalize: "off",
            spellcheck: "false",
          }),
          promQL.asExtension(),
          Prec.highest(
            keymap.of([
              { key: "Shift-Enter", run: () => false },
              {
                key: "Escape",
                run: (self) => {
                  self.contentDOM.blur();
                  return false;
                },
              },
            ]),
          ),
          keymap.of([...completionKeymap]),
          keymap.of([
            {
              key: "Enter",
              run: () => {
                handlers.current.onRun();
                return true;
              },
              shift: () => false,
            },
            ...closeBracketsKeymap,
            ...historyKeymap,
            ...lintKeymap,
            ...defaultKeymap,
          ]),
          EditorView.updateListener.of((update) => {
            if (update.docChanged) handlers.current.onChange(update.state.doc.toString());
          }),
        ],
      }),
    });
    view.current = editor;
    if (initial.current.autoFocus) editor.focus();
    return () => {
      editor.destroy();
      view.current = null;
      promQL.destroy();
    };
  }, []);

  useEffect(() => {
    const editor = view.current;
    if (!editor || editor.state.doc.toString() === value) return;
    editor.dispatch({ changes: { from: 0, to: editor.state.doc.length, insert: value } });
  }, [value]);

  return <div ref={host} className={classes.editor} />;
}
