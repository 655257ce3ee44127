import { Button, TextInput } from "@mantine/core";
import { type FormEvent, useState } from "react";
import type { User } from "~/api/types";
import { listOf } from "~/auth/TokenForm";

/** The groups of a user, as text that can be changed in place. */
export function GroupsCell({ user, onSave }: { user: User; onSave: (groups: string[]) => void }) {
  const [text, setText] = useState<string>();
  if (text === undefined) {
    return (
      <span className="row">
        <span>{user.groups.join(", ") || "none"}</span>
        <button
          type="button"
          className="linkish small"
          aria-label={`Change the groups of ${user.name}`}
          onClick={() => setText(user.groups.join(", "))}
        >
          Change
        </button>
      </span>
    );
  }
  const submit = (event: FormEvent) => {
    event.preventDefault();
    onSave(listOf(text));
    setText(undefined);
  };
  return (
    <form className="row" onSubmit={submit}>
      <TextInput
        size="xs"
        aria-label={`Groups of ${user.name}`}
        value={text}
        onChange={(event) => setText(event.currentTarget.value)}
      />
      <Button type="submit" size="compact-xs">
        Save
      </Button>
    </form>
  );
}
