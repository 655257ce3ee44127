import { TextInput } from "@mantine/core";
import type { CSSProperties } from "react";
import type { Who } from "./useWho";

interface Props {
  who: Who;
  label?: string;
  style?: CSSProperties;
}

/** Whose name will stand there: that of who is logged in, else the one that the reader gives. */
export function WhoField({ who, label = "Your name", style }: Props) {
  return (
    <TextInput
      label={label}
      value={who.name}
      required={!who.proved}
      readOnly={who.proved}
      variant={who.proved ? "filled" : "default"}
      title={who.proved ? "Who is logged in; nobody can claim another name." : undefined}
      {...(style ? { style } : {})}
      onChange={(event) => who.claim(event.currentTarget.value)}
    />
  );
}
