import { PageHead } from "~/components/PageHead";

export function DecisionPage() {
  return <PageHead title="DecisionPage" answer="DecisionPage" />;
}
