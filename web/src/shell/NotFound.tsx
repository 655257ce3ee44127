import { Link } from "@tanstack/react-router";
import { PageHead } from "~/components/PageHead";

export function NotFound() {
  return (
    <PageHead title="Not found" answer="There is no page at this address.">
      The link may be from another version. <Link to="/">Go to the overview</Link>.
    </PageHead>
  );
}
