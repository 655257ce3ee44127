import { ActionIcon, Tooltip } from "@mantine/core";
import { useEffect, useState } from "react";
import { copyText } from "./clipboard";
import { Icon } from "./Icon";

/** Copies text and says so. */
export function CopyButton({ text, label }: { text: string; label: string }) {
  const [state, setState] = useState<"idle" | "done" | "refused">("idle");
  useEffect(() => {
    if (state === "idle") return;
    const timer = setTimeout(() => setState("idle"), 1500);
    return () => clearTimeout(timer);
  }, [state]);
  const words = { idle: label, done: "Copied", refused: "The browser refused; select and copy by hand" }[
    state
  ];
  return (
    <Tooltip label={words}>
      <ActionIcon
        variant="subtle"
        color="gray"
        size="sm"
        aria-label={words}
        onClick={() => void copyText(text).then((ok) => setState(ok ? "done" : "refused"))}
      >
        <Icon name={state === "done" ? "check" : "copy"} size={15} />
      </ActionIcon>
    </Tooltip>
  );
}
