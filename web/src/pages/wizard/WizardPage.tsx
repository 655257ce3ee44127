import { Select } from "@mantine/core";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { useServiceNames } from "~/api/queries";
import { EmptyNote } from "~/components/EmptyNote";
import { PageHead } from "~/components/PageHead";
import { useTimeRange } from "~/time/useTimeRange";
import { ServiceProposals } from "./ServiceProposals";

/** What could this service promise? */
export function WizardPage() {
  const search = useSearch({ strict: false });
  const navigate = useNavigate();
  const { resolved } = useTimeRange();
  const names = useServiceNames(resolved);
  const service = search.service;
  return (
    <>
      <PageHead
        title="Propose an SLO"
        answer={
          service
            ? `What ${service} could promise, from its last 30 days`
            : "Which service shall promise something?"
        }
      >
        Pick what its users feel, then a target it would have kept. The result is an OpenSLO document for your
        repository.
      </PageHead>
      <section className="panel">
        <Select
          label="Service"
          searchable
          placeholder="Pick a service"
          data={service && !names.includes(service) ? [service, ...names] : names}
          value={service ?? null}
          maw={360}
          onChange={(value) =>
            void navigate({ to: ".", search: (old) => ({ ...old, service: value ?? undefined }) })
          }
        />
      </section>
      {service ? (
        <ServiceProposals key={service} service={service} />
      ) : (
        names.length === 0 && (
          <EmptyNote title="No service has sent anything yet." command="signalbox demo">
            Send traces or metrics over OTLP, or look at the demo.
          </EmptyNote>
        )
      )}
    </>
  );
}
