import { ActionIcon, Menu } from "@mantine/core";
import { copyText } from "~/components/clipboard";
import { Icon } from "~/components/Icon";
import { type ChartData, toCsv } from "./model";

export interface ChartMenuItem {
  label: string;
  onClick: () => void;
}

interface Props {
  title: string;
  data: ChartData;
  items: readonly ChartMenuItem[];
  canvas: () => HTMLCanvasElement | undefined;
}

function save(canvas: HTMLCanvasElement | undefined, title: string) {
  canvas?.toBlob((blob) => {
    if (!blob) return;
    const link = document.createElement("a");
    link.href = URL.createObjectURL(blob);
    link.download = `${title.toLowerCase().replace(/[^a-z0-9]+/g, "-")}.png`;
    link.click();
    URL.revokeObjectURL(link.href);
  });
}

/** A chart in other forms: its query, its figures, its picture. */
export function ChartMenu({ title, data, items, canvas }: Props) {
  return (
    <Menu position="bottom-end" shadow="md">
      <Menu.Target>
        <ActionIcon variant="subtle" color="gray" size="sm" aria-label={`Copy ${title}`}>
          <Icon name="copy" size={15} />
        </ActionIcon>
      </Menu.Target>
      <Menu.Dropdown>
        {items.map((item) => (
          <Menu.Item key={item.label} onClick={item.onClick}>
            {item.label}
          </Menu.Item>
        ))}
        <Menu.Item onClick={() => void copyText(toCsv(data))}>Copy as CSV</Menu.Item>
        <Menu.Item onClick={() => save(canvas(), title)}>Save as image</Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
}
