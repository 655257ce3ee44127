import { PasswordInput } from "@mantine/core";
import { useState } from "react";

const least = 12;

/** Characters as the server counts them. */
export function tooShort(password: string): boolean {
  return [...password.normalize("NFKC")].length < least;
}

interface Props {
  label?: string;
  value: string;
  onChange: (value: string) => void;
}

/** A password to choose; what is asked of it is said before it is typed. */
export function NewPassword({ label = "Password", value, onChange }: Props) {
  const [left, setLeft] = useState(false);
  const count = [...value.normalize("NFKC")].length;
  const short = value !== "" && tooShort(value);
  return (
    <PasswordInput
      label={label}
      description={`At least ${least} characters. A few words in a row are easy to remember.`}
      required
      autoComplete="new-password"
      value={value}
      error={left && short ? `${count} of ${least} characters` : undefined}
      onBlur={() => setLeft(true)}
      visibilityToggleButtonProps={{ "aria-label": "Show the password" }}
      onChange={(event) => onChange(event.currentTarget.value)}
    />
  );
}
