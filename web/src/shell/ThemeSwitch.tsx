import { type MantineColorScheme, useMantineColorScheme } from "@mantine/core";
import { Icon, type IconName } from "~/components/Icon";
import classes from "./Shell.module.css";

const next: Record<MantineColorScheme, MantineColorScheme> = { auto: "light", light: "dark", dark: "auto" };
const icons: Record<MantineColorScheme, IconName> = { auto: "system", light: "sun", dark: "moon" };
const words: Record<MantineColorScheme, string> = { auto: "System", light: "Light", dark: "Dark" };

/** System, light, dark, in turn. */
export function ThemeSwitch({ compact }: { compact?: boolean }) {
  const { colorScheme, setColorScheme } = useMantineColorScheme();
  return (
    <button
      type="button"
      className={classes.footButton}
      aria-label={`Theme: ${words[colorScheme]}. Switch to ${words[next[colorScheme]]}`}
      onClick={() => setColorScheme(next[colorScheme])}
    >
      <Icon name={icons[colorScheme]} size={18} />
      {!compact && <span>{words[colorScheme]}</span>}
    </button>
  );
}
