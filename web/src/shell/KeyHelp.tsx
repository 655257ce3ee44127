import { Kbd, Modal } from "@mantine/core";
import { navEntries } from "./nav";

const keys: readonly [string[], string][] = [
  [["/"], "Search on this page, or the logs"],
  [["?"], "This help"],
  [["j"], "Next row"],
  [["k"], "Previous row"],
  [["Enter"], "Open the row"],
  [["Esc"], "Leave the field, close, or go back"],
  ...navEntries.map((entry): [string[], string] => [["g", entry.key], entry.label]),
];

export function KeyHelp({ opened, onClose }: { opened: boolean; onClose: () => void }) {
  return (
    <Modal
      opened={opened}
      onClose={onClose}
      title="Keys"
      size="sm"
      closeButtonProps={{ "aria-label": "Close" }}
    >
      <table className="data">
        <tbody>
          {keys.map(([combo, meaning]) => (
            <tr key={meaning}>
              <td className="nowrap">
                {combo.map((key, index) => (
                  <span key={key}>
                    {index > 0 && <span className="dim"> then </span>}
                    <Kbd size="sm">{key}</Kbd>
                  </span>
                ))}
              </td>
              <td>{meaning}</td>
            </tr>
          ))}
        </tbody>
      </table>
      <p className="dim small" style={{ marginTop: 12 }}>
        Drag on any chart to zoom all charts to that time. Double-click to zoom out.
      </p>
    </Modal>
  );
}
