import { PageHead } from "~/components/PageHead";

export function TracesPage() {
  return <PageHead title="TracesPage" answer="TracesPage" />;
}
