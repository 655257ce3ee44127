import { createTheme, type MantineColorsTuple } from "@mantine/core";

const accent: MantineColorsTuple = [
  "#e8edfc",
  "#cdd8f8",
  "#a9bdf4",
  "#93aeff",
  "#6d8cf0",
  "#4668dc",
  "#365bd2",
  "#2c50c7",
  "#2442a8",
  "#1c3485",
];

const gray: MantineColorsTuple = [
  "#f7f7f8",
  "#f1f1f3",
  "#e4e5e9",
  "#d7d9de",
  "#cdd0d6",
  "#9a9ea8",
  "#71757f",
  "#595d67",
  "#35383e",
  "#1b1c1f",
];

const dark: MantineColorsTuple = [
  "#e7e8eb",
  "#c6c8ce",
  "#a0a4ae",
  "#71757f",
  "#41444c",
  "#2a2c31",
  "#1d1f23",
  "#17181b",
  "#101113",
  "#0a0b0c",
];

/** Neutral greys and one accent; colour beyond that carries meaning (styles/base.css). */
export const theme = createTheme({
  primaryColor: "accent",
  primaryShade: { light: 7, dark: 6 },
  colors: { accent, gray, dark },
  fontFamily: 'system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif',
  fontFamilyMonospace: "var(--sb-mono)",
  defaultRadius: 6,
  cursorType: "pointer",
  components: {
    Button: { defaultProps: { size: "xs" } },
    Tooltip: { defaultProps: { openDelay: 300, withArrow: true } },
  },
});
