import { useQuery } from "@tanstack/react-query";
import { useSearch } from "@tanstack/react-router";
import { useEffect, useMemo, useRef, useState } from "react";
import { documentsQuery } from "~/api/backtest";
import {
  type Change,
  type Draft,
  decodeSets,
  firstChange,
  type Sets,
  toDrafts,
  withChange,
} from "./documents";

/** A document in the editor; a line to be shown first. */
export interface OpenDocument {
  side: "a" | "b";
  name: string;
  line?: number | undefined;
}

const nothing: Sets = { a: [], b: [] };

/** The change that the address asks for: `slo=edge&target=99.9&window=28d`. */
function changeOf(search: { slo?: string; target?: string; window?: string }): Change | undefined {
  if (!search.slo || (!search.target && !search.window)) return undefined;
  const target = Number(search.target);
  return {
    slo: search.slo,
    target: search.target && target > 0 && target < 100 ? target : undefined,
    window: search.window,
  };
}

/** What is in force, and the two sets as the address says: written in it, or as one change to an SLO. */
export function useSets() {
  const search = useSearch({ strict: false }) as {
    docs?: string;
    slo?: string;
    target?: string;
    window?: string;
  };
  const documents = useQuery(documentsQuery);
  const inForce = useMemo<Draft[]>(() => toDrafts(documents.data ?? {}), [documents.data]);
  const [sets, setSets] = useState<Sets>(nothing);
  const [note, setNote] = useState("");
  const [open, setOpen] = useState<OpenDocument | undefined>(undefined);
  // What the sets in hand were read from or written to, so that the page's own address does not overwrite them.
  const known = useRef<string | undefined>(undefined);
  const { docs } = search;
  const change = changeOf(search);
  const asked = change ? `${change.slo} ${change.target} ${change.window}` : "";

  useEffect(() => {
    if (!docs || docs === known.current) return;
    known.current = docs;
    let stale = false;
    void decodeSets(docs).then((read) => {
      if (stale) return;
      setSets(read ?? nothing);
      setNote(read ? "" : "The documents in this link cannot be read: it was cut off. Ask for it again.");
    });
    return () => {
      stale = true;
    };
  }, [docs]);

  // biome-ignore lint/correctness/useExhaustiveDependencies: asked stands for the change.
  useEffect(() => {
    if (docs || !change || !documents.data || known.current === asked) return;
    known.current = asked;
    const slos = inForce.filter((draft) => draft.kind === "slos");
    const { drafts, done } = withChange(slos, change);
    setSets({ a: [], b: drafts });
    const file = drafts.findIndex((draft, at) => draft.text !== slos[at]?.text);
    const draft = drafts[file];
    if (draft)
      setOpen({ side: "b", name: draft.name, line: firstChange(slos[file]?.text ?? "", draft.text) });
    setNote(
      done
        ? ""
        : `B is a copy of what is in force: the document of ${change.slo} is written in a way that this page does not change by itself. Change it below.`,
    );
  }, [asked, documents.data, docs]);

  return {
    documents,
    inForce,
    sets,
    setSets,
    note,
    change,
    open,
    setOpen,
    /** The address was set to these documents by this page. */
    wrote: (written: string) => {
      known.current = written;
    },
    /** The change of the address is still being looked up. */
    waits: Boolean(change) && !docs && documents.isPending,
  };
}
