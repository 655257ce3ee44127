import { PageHead } from "~/components/PageHead";

export function MetricsPage() {
  return <PageHead title="MetricsPage" answer="MetricsPage" />;
}
