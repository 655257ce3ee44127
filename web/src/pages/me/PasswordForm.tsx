import { Button, PasswordInput } from "@mantine/core";
import { type FormEvent, useState } from "react";
import { DoorError } from "~/auth/DoorError";
import { useKnock } from "~/auth/login";
import { NewPassword, tooShort } from "~/auth/NewPassword";
import { returnTo } from "~/auth/returnTo";

/** One's own password; every other session ends with the old one. */
export function PasswordForm() {
  const [old, setOld] = useState("");
  const [password, setPassword] = useState("");
  const change = useKnock<{ old: string; password: string }>("/sb/v1/me/password", returnTo("/me"));
  const submit = (event: FormEvent) => {
    event.preventDefault();
    change.mutate({ old, password });
  };
  return (
    <form
      className="panel stack"
      style={{ maxWidth: 420 }}
      onSubmit={submit}
      aria-label="Change the password"
    >
      <h2>Change your password</h2>
      <PasswordInput
        label="The one until now"
        required
        autoComplete="current-password"
        value={old}
        onChange={(event) => setOld(event.currentTarget.value)}
      />
      <NewPassword label="New password" value={password} onChange={setPassword} />
      <DoorError error={change.error} />
      <Button type="submit" disabled={!old || tooShort(password)} loading={change.isPending}>
        Change it
      </Button>
      <p className="dim small">You are logged out everywhere else.</p>
    </form>
  );
}
