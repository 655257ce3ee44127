import { PageHead } from "~/components/PageHead";

export function ServicePage() {
  return <PageHead title="ServicePage" answer="ServicePage" />;
}
