import { PageHead } from "~/components/PageHead";

export function GatePage() {
  return <PageHead title="GatePage" answer="GatePage" />;
}
