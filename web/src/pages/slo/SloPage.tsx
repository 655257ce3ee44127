import { PageHead } from "~/components/PageHead";

export function SloPage() {
  return <PageHead title="SloPage" answer="SloPage" />;
}
