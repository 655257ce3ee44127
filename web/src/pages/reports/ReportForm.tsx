import { SegmentedControl, Select, TextInput } from "@mantine/core";
import { useMemo } from "react";
import { useServiceNames } from "~/api/queries";
import { useTimeRange } from "~/time/useTimeRange";
import { defaultPeriod, type PeriodSearch, periods, zones } from "./period";

interface Props {
  search: PeriodSearch;
  onChange: (change: PeriodSearch) => void;
}

/** Which report: period, time zone, for whom, of which service. */
export function ReportForm({ search, onChange }: Props) {
  const { resolved } = useTimeRange();
  const names = useServiceNames(resolved);
  const all = useMemo(zones, []);
  const period = search.period ?? defaultPeriod;
  const zone = search.zone ?? "UTC";
  const listed = periods.some((one) => one.value === period);
  return (
    <form
      className="panel row"
      style={{ alignItems: "flex-end" }}
      data-screen
      aria-label="Which report"
      onSubmit={(event) => event.preventDefault()}
    >
      <Select
        label="Period"
        w={160}
        allowDeselect={false}
        value={period}
        data={[...(listed ? [] : [{ value: period, label: period }]), ...periods]}
        onChange={(next) =>
          onChange({
            period: next === defaultPeriod ? undefined : (next ?? undefined),
            start: undefined,
            end: undefined,
            as_of: undefined,
          })
        }
      />
      {period === "custom" && (
        <>
          <TextInput
            type="date"
            label="From"
            value={search.start ?? ""}
            max={search.end}
            onChange={(event) => onChange({ start: event.currentTarget.value || undefined })}
          />
          <TextInput
            type="date"
            label="To, that day included"
            value={search.end ?? ""}
            min={search.start}
            onChange={(event) => onChange({ end: event.currentTarget.value || undefined })}
          />
        </>
      )}
      <Select
        label="Time zone"
        w={210}
        searchable
        allowDeselect={false}
        limit={80}
        value={zone}
        data={all.includes(zone) ? all : [zone, ...all]}
        onChange={(next) => onChange({ zone: next === "UTC" ? undefined : (next ?? undefined) })}
      />
      <Select
        label="Service"
        w={200}
        clearable
        searchable
        placeholder="Every service"
        value={search.service ?? null}
        data={search.service && !names.includes(search.service) ? [search.service, ...names] : names}
        onChange={(next) => onChange({ service: next ?? undefined })}
      />
      <SegmentedControl
        aria-label="Audience"
        value={search.audience === "internal" ? "internal" : "customer"}
        onChange={(next) => onChange({ audience: next === "internal" ? "internal" : undefined })}
        data={[
          { value: "customer", label: "For customers" },
          { value: "internal", label: "Internal" },
        ]}
      />
    </form>
  );
}
