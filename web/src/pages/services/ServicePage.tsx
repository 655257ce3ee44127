import { useQuery } from "@tanstack/react-query";
import { Link, useParams } from "@tanstack/react-router";
import { serviceQuery } from "~/api/queries";
import type { ServiceDetail } from "~/api/types";
import { Answer } from "~/components/Answer";
import { CopyMenu } from "~/components/CopyMenu";
import { asCurl } from "~/components/clipboard";
import { DeployList } from "~/components/DeployList";
import { Facts } from "~/components/Facts";
import { PageHead } from "~/components/PageHead";
import { buildFilter } from "~/filter/filter";
import { formatFigure } from "~/format/number";
import { SloTable } from "~/slo/SloTable";
import { worstTone } from "~/slo/state";
import { useTimeRange } from "~/time/useTimeRange";
import { Dependencies } from "./Dependencies";
import { GoldenSignals } from "./GoldenSignals";
import { Slices } from "./Slices";

/** Is it healthy, and what changed? */
export function ServicePage() {
  const { name } = useParams({ from: "/services/$name" });
  const { resolved } = useTimeRange();
  const query = useQuery(serviceQuery(name, resolved));
  const service = query.data;
  const filter = buildFilter({ service: name });
  return (
    <>
      <PageHead
        title={name}
        answer={service?.summary ?? (query.error ? `${name} cannot be shown.` : `Reading ${name}`)}
        tone={service ? worstTone(service.slos) : undefined}
        actions={
          <CopyMenu
            items={[
              { label: "Copy as curl", text: () => asCurl(`/sb/v1/services/${encodeURIComponent(name)}`) },
              { label: "Copy as PromQL", text: () => Object.values(service?.queries ?? {}).join("\n") },
            ]}
          />
        }
      >
        <span className="row">
          <strong>{name}</strong>
          <Link to="/traces" search={{ q: `${filter} status:error` }}>
            Failing traces
          </Link>
          <Link to="/traces" search={{ q: filter, order: "slowest" }}>
            Slow traces
          </Link>
          <Link to="/logs" search={{ q: filter }}>
            Logs
          </Link>
          <Link to="/gate" search={{ service: name }}>
            May I deploy?
          </Link>
          <Link to="/remedies" search={{ service: name }}>
            Rollbacks
          </Link>
          <Link to="/reports" search={{ service: name }}>
            Report
          </Link>
        </span>
      </PageHead>
      <Answer query={query} what={`the service ${name}`} height={500}>
        {(data) => <ServiceBody service={data} />}
      </Answer>
    </>
  );
}

function ServiceBody({ service }: { service: ServiceDetail }) {
  const quiet = service.rate === null ? "no spans in this time range" : undefined;
  return (
    <div className="stack">
      <Facts
        facts={[
          { name: "Requests", value: formatFigure(service.rate, "per_second"), note: quiet },
          { name: "Errors", value: formatFigure(service.error_ratio, "ratio"), note: quiet },
          { name: "P50", value: formatFigure(service.p50_seconds, "seconds"), note: quiet },
          { name: "P95", value: formatFigure(service.p95_seconds, "seconds"), note: quiet },
          { name: "P99", value: formatFigure(service.p99_seconds, "seconds"), note: quiet },
        ]}
      />
      <GoldenSignals service={service} />
      {service.slos.length > 0 && (
        <section className="panel stack tight">
          <h2>SLOs</h2>
          <SloTable slos={service.slos} label={`SLOs of ${service.service}`} />
        </section>
      )}
      <div className="grid2">
        <Slices title="Versions" fields={["version"]} slices={service.versions} service={service.service} />
        <Slices title="Regions" fields={["region"]} slices={service.regions} service={service.service} />
      </div>
      <Slices
        title="Routes"
        fields={["http.route", "name"]}
        slices={service.routes}
        service={service.service}
      />
      <Dependencies service={service} />
      <section className="panel stack tight">
        <h2>Deployments</h2>
        {service.deploys.length > 0 ? (
          <DeployList deploys={service.deploys} withService={false} />
        ) : (
          <p className="dim">No deployment was recorded for {service.service}.</p>
        )}
      </section>
    </div>
  );
}
