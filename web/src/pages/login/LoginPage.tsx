import { Button, PasswordInput, TextInput } from "@mantine/core";
import { Link, useSearch } from "@tanstack/react-router";
import { type FormEvent, useState } from "react";
import type { LoginMethod } from "~/api/types";
import { Door, doorForm, Or } from "~/auth/Door";
import { DoorError } from "~/auth/DoorError";
import { useKnock, useLoginMethods } from "~/auth/login";
import { returnPath, returnTo } from "~/auth/returnTo";
import { Answer } from "~/components/Answer";

/** Who are you? Names and passwords, and the providers that are configured. */
export function LoginPage() {
  const asked = useSearch({ strict: false }).return;
  const methods = useLoginMethods();
  if (methods.data?.methods?.length === 0) {
    return (
      <Door title="No login is needed" says="Authentication is off here, and only this machine is served.">
        <Link to="/">To the overview</Link>
      </Door>
    );
  }
  const page = returnPath(asked);
  return (
    <Door title="Log in" says={page === "/" ? "to see what is wrong, and why" : `to go on to ${page}`}>
      <Answer query={methods} what="the ways to log in" height={220}>
        {(data) => <Ways methods={data.methods ?? []} asked={asked} />}
      </Answer>
    </Door>
  );
}

function Ways({ methods, asked }: { methods: readonly LoginMethod[]; asked: string | undefined }) {
  const redirects = methods.filter((one) => one.kind === "redirect");
  const password = methods.some((one) => one.kind === "password");
  return (
    <>
      {redirects.map((one) => (
        <Button
          key={one.name}
          component="a"
          size="md"
          fullWidth
          href={`${one.path}?${new URLSearchParams({ return_to: returnPath(asked) })}`}
        >
          Log in with {one.shown}
        </Button>
      ))}
      {password && redirects.length > 0 && <Or />}
      {password && <PasswordForm asked={asked} second={redirects.length > 0} />}
    </>
  );
}

function PasswordForm({ asked, second }: { asked: string | undefined; second: boolean }) {
  const [name, setName] = useState("");
  const [password, setPassword] = useState("");
  const login = useKnock<{ name: string; password: string }>("/sb/v1/login", returnTo(asked));
  const submit = (event: FormEvent) => {
    event.preventDefault();
    login.mutate({ name: name.trim(), password }, { onError: () => setPassword("") });
  };
  return (
    <form className={doorForm} onSubmit={submit} aria-label="Log in with name and password">
      <TextInput
        label="Name"
        size="md"
        required
        autoFocus={!second}
        autoComplete="username"
        autoCapitalize="none"
        spellCheck={false}
        value={name}
        onChange={(event) => setName(event.currentTarget.value)}
      />
      <PasswordInput
        label="Password"
        size="md"
        required
        autoComplete="current-password"
        value={password}
        visibilityToggleButtonProps={{ "aria-label": "Show the password" }}
        onChange={(event) => setPassword(event.currentTarget.value)}
      />
      <DoorError error={login.error} unauthenticated="The name or the password is not right." />
      <Button
        type="submit"
        size="md"
        variant={second ? "default" : "filled"}
        loading={login.isPending || login.isSuccess}
      >
        Log in
      </Button>
      <p className="dim small">
        A lost password: an administrator makes a new link, or <code>signalbox user recover NAME</code> on the
        server does.
      </p>
    </form>
  );
}
