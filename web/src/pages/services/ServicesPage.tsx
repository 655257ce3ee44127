import { PageHead } from "~/components/PageHead";

export function ServicesPage() {
  return <PageHead title="ServicesPage" answer="ServicesPage" />;
}
