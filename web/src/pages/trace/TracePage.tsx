import { PageHead } from "~/components/PageHead";

export function TracePage() {
  return <PageHead title="TracePage" answer="TracePage" />;
}
