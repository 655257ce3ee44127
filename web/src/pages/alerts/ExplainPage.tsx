import { PageHead } from "~/components/PageHead";

export function ExplainPage() {
  return <PageHead title="ExplainPage" answer="ExplainPage" />;
}
