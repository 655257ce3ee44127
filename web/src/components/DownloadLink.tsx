import { Button } from "@mantine/core";
import { type MouseEvent, useState } from "react";
import { download } from "~/api/client";
import { tenantAsked } from "~/api/tenant";

interface Props {
  href: string;
  /** The file's name where a tenant is chosen; else the server's. */
  name: string;
  children: string;
  button?: boolean;
}

/** A file of the server. A plain link could not say as which tenant it is asked for. */
export function DownloadLink({ href, name, children, button }: Props) {
  const [failed, setFailed] = useState("");
  const click = (event: MouseEvent) => {
    if (!tenantAsked()) return;
    event.preventDefault();
    download(href, name).then(
      () => setFailed(""),
      (cause: Error) => setFailed(cause.message),
    );
  };
  const text = failed ? `${children}: ${failed}` : children;
  if (!button)
    return (
      <a href={href} download={name} onClick={click}>
        {text}
      </a>
    );
  return (
    <Button variant="default" component="a" href={href} download onClick={click}>
      {text}
    </Button>
  );
}
