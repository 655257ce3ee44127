import { PageHead } from "~/components/PageHead";

export function LogsPage() {
  return <PageHead title="LogsPage" answer="LogsPage" />;
}
