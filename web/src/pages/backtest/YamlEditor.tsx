import { defaultKeymap, history, historyKeymap } from "@codemirror/commands";
import { type Diagnostic, lintGutter, lintKeymap, setDiagnostics } from "@codemirror/lint";
import { EditorState } from "@codemirror/state";
import { EditorView, keymap, lineNumbers } from "@codemirror/view";
import { useEffect, useRef } from "react";
import type { Mistake } from "./documents";
import classes from "./YamlEditor.module.css";

interface Props {
  value: string;
  label: string;
  mistakes: readonly Mistake[];
  /** The line to show; a new object shows it again. */
  at?: { line: number } | undefined;
  onChange: (text: string) => void;
}

function diagnosticsOf(state: EditorState, mistakes: readonly Mistake[]): Diagnostic[] {
  return mistakes.map(({ line, message }) => {
    const where = state.doc.line(Math.min(Math.max(line, 1), state.doc.lines));
    return { from: where.from, to: where.to, severity: "error", message };
  });
}

/** A document with numbered lines; a line that cannot be read is marked. Tab leaves the field. */
export function YamlEditor({ value, label, mistakes, at, onChange }: Props) {
  const host = useRef<HTMLDivElement>(null);
  const view = useRef<EditorView | null>(null);
  const change = useRef(onChange);
  change.current = onChange;
  const initial = useRef({ value, label });

  useEffect(() => {
    if (!host.current) return;
    const editor = new EditorView({
      parent: host.current,
      state: EditorState.create({
        doc: initial.current.value,
        extensions: [
          history(),
          lineNumbers(),
          lintGutter(),
          keymap.of([...defaultKeymap, ...historyKeymap, ...lintKeymap]),
          EditorView.contentAttributes.of({
            "aria-label": initial.current.label,
            tabindex: "0",
            autocapitalize: "off",
            spellcheck: "false",
          }),
          EditorView.updateListener.of((update) => {
            if (update.docChanged) change.current(update.state.doc.toString());
          }),
        ],
      }),
    });
    view.current = editor;
    return () => {
      editor.destroy();
      view.current = null;
    };
  }, []);

  useEffect(() => {
    const editor = view.current;
    if (editor && editor.state.doc.toString() !== value)
      editor.dispatch({ changes: { from: 0, to: editor.state.doc.length, insert: value } });
  }, [value]);

  useEffect(() => {
    const editor = view.current;
    if (editor) editor.dispatch(setDiagnostics(editor.state, diagnosticsOf(editor.state, mistakes)));
  }, [mistakes]);

  useEffect(() => {
    const editor = view.current;
    if (!editor || !at) return;
    const line = editor.state.doc.line(Math.min(Math.max(at.line, 1), editor.state.doc.lines));
    editor.dispatch({
      selection: { anchor: line.from },
      effects: EditorView.scrollIntoView(line.from, { y: "center" }),
    });
  }, [at]);

  return <div ref={host} className={classes.editor} />;
}
