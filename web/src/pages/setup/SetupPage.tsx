import { Button, TextInput } from "@mantine/core";
import { Link, useLocation } from "@tanstack/react-router";
import { type FormEvent, useState } from "react";
import { Door, doorForm } from "~/auth/Door";
import { DoorError } from "~/auth/DoorError";
import { useKnock } from "~/auth/login";
import { NewPassword, tooShort } from "~/auth/NewPassword";
import { returnTo } from "~/auth/returnTo";

/** What a link lets one do, once: become the first administrator, or choose a password. */
export function SetupPage() {
  const link = useLocation({ select: (location) => location.hash });
  if (!link) {
    return (
      <Door
        title="This link is not whole"
        says="What stands behind # is missing. Copy the whole link from where you got it, the console or a message."
      >
        <Link to="/login">To the login</Link>
      </Door>
    );
  }
  if (link.startsWith("first-")) {
    return (
      <Door
        title="Become the first administrator"
        says="Nobody administers this Signalbox yet. The link works once; you add everybody else from inside."
      >
        <SetupForm key={link} link={link} first />
      </Door>
    );
  }
  return (
    <Door title="Choose your password" says="The link works once, within 24 h. You are logged in afterwards.">
      <SetupForm key={link} link={link} />
    </Door>
  );
}

interface Proof {
  link: string;
  name?: string;
  password: string;
}

function SetupForm({ link, first }: { link: string; first?: boolean }) {
  const [name, setName] = useState("");
  const [password, setPassword] = useState("");
  const setup = useKnock<Proof>(first ? "/sb/v1/first-admin" : "/sb/v1/password", returnTo("/"));
  const submit = (event: FormEvent) => {
    event.preventDefault();
    setup.mutate(first ? { link, name: name.trim(), password } : { link, password });
  };
  return (
    <form className={doorForm} onSubmit={submit}>
      {first && (
        <TextInput
          label="Name"
          description="With which you log in from now on."
          required
          autoFocus
          autoComplete="username"
          autoCapitalize="none"
          spellCheck={false}
          value={name}
          onChange={(event) => setName(event.currentTarget.value)}
        />
      )}
      <NewPassword value={password} onChange={setPassword} />
      <DoorError error={setup.error} />
      <Button
        type="submit"
        size="md"
        disabled={tooShort(password) || (first && !name.trim())}
        loading={setup.isPending || setup.isSuccess}
      >
        {first ? "Become administrator" : "Set the password"}
      </Button>
    </form>
  );
}
