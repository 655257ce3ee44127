import { Tabs } from "@mantine/core";
import { useNavigate } from "@tanstack/react-router";
import type { ReactNode } from "react";

interface Props {
  /** The first is the one without a name in the address. */
  tabs: readonly { key: string; label: string; body: ReactNode }[];
  open: string | undefined;
}

/** Tabs whose open one stands in the address. */
export function TabBar({ tabs, open }: Props) {
  const navigate = useNavigate();
  const first = tabs[0]?.key ?? "";
  const value = tabs.some((one) => one.key === open) ? (open ?? first) : first;
  return (
    <Tabs
      value={value}
      keepMounted={false}
      onChange={(next) =>
        void navigate({
          to: ".",
          search: (old) => ({ ...old, tab: next && next !== first ? next : undefined }),
        })
      }
    >
      <Tabs.List mb="md">
        {tabs.map((one) => (
          <Tabs.Tab key={one.key} value={one.key}>
            {one.label}
          </Tabs.Tab>
        ))}
      </Tabs.List>
      {tabs.map((one) => (
        <Tabs.Panel key={one.key} value={one.key}>
          {one.body}
        </Tabs.Panel>
      ))}
    </Tabs>
  );
}
