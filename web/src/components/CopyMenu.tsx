import { Button, Menu } from "@mantine/core";
import { useEffect, useState } from "react";
import { copyText } from "./clipboard";
import { Icon } from "./Icon";

export interface CopyItem {
  label: string;
  text: () => string;
}

/** The view in other forms: link, curl, PromQL, CSV. */
export function CopyMenu({ items }: { items: readonly CopyItem[] }) {
  const [done, setDone] = useState("");
  useEffect(() => {
    if (!done) return;
    const timer = setTimeout(() => setDone(""), 1500);
    return () => clearTimeout(timer);
  }, [done]);
  const all = [{ label: "Copy link", text: () => window.location.href }, ...items];
  return (
    <Menu position="bottom-end" shadow="md">
      <Menu.Target>
        <Button variant="default" leftSection={<Icon name="copy" size={15} />}>
          {done || "Copy"}
        </Button>
      </Menu.Target>
      <Menu.Dropdown>
        {all.map((item) => (
          <Menu.Item
            key={item.label}
            onClick={() => void copyText(item.text()).then((ok) => setDone(ok ? "Copied" : "Refused"))}
          >
            {item.label}
          </Menu.Item>
        ))}
      </Menu.Dropdown>
    </Menu>
  );
}
