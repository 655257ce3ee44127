import { PageHead } from "~/components/PageHead";

export function AlertsPage() {
  return <PageHead title="AlertsPage" answer="AlertsPage" />;
}
