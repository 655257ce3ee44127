import { useNavigate, useRouter } from "@tanstack/react-router";
import { useEffect, useRef } from "react";
import { navEntries } from "./nav";

function isTyping(target: EventTarget | null): boolean {
  if (!(target instanceof HTMLElement)) return false;
  return target.isContentEditable || ["INPUT", "TEXTAREA", "SELECT"].includes(target.tagName);
}

function hasOverlay(): boolean {
  return document.querySelector('[role="dialog"]:not([hidden]), [role="menu"]') !== null;
}

/** Moves the focus among the page's rows (`data-row`). */
function moveRow(by: 1 | -1): boolean {
  const rows = [...document.querySelectorAll<HTMLElement>("main [data-row]")].filter(
    (row) => row.offsetParent !== null,
  );
  if (rows.length === 0) return false;
  const at = rows.indexOf(document.activeElement as HTMLElement);
  const next = at < 0 ? (by > 0 ? 0 : rows.length - 1) : Math.min(Math.max(at + by, 0), rows.length - 1);
  rows[next]?.focus();
  rows[next]?.scrollIntoView({ block: "nearest" });
  return true;
}

/** The application's keys: `/` search, `?` help, `g …` go to, `j/k` rows, `Esc` back. Enter is the browser's own. */
export function useKeyboard(onHelp: () => void) {
  const navigate = useNavigate();
  const router = useRouter();
  const pendingGo = useRef(0);

  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
      if (event.key === "Escape") {
        if (hasOverlay()) return;
        const active = document.activeElement;
        if (active instanceof HTMLElement && (isTyping(active) || active.matches("[data-row]")))
          return active.blur();
        if (router.history.canGoBack()) router.history.back();
        return;
      }
      if (isTyping(event.target) || hasOverlay()) return;
      if (Date.now() - pendingGo.current < 1200) {
        pendingGo.current = 0;
        const entry = navEntries.find((item) => item.key === event.key);
        if (entry) {
          event.preventDefault();
          void navigate({ to: entry.to });
        }
        return;
      }
      switch (event.key) {
        case "g":
          pendingGo.current = Date.now();
          break;
        case "?":
          onHelp();
          break;
        case "/": {
          event.preventDefault();
          const box = document.querySelector<HTMLElement>("main [data-search]");
          if (box) box.focus();
          else void navigate({ to: "/logs" });
          break;
        }
        case "j":
        case "k":
          if (moveRow(event.key === "j" ? 1 : -1)) event.preventDefault();
          break;
      }
    };
    document.addEventListener("keydown", onKey);
    return () => document.removeEventListener("keydown", onKey);
  }, [navigate, router, onHelp]);
}
