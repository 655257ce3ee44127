import { Tabs } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { Link, useNavigate, useSearch } from "@tanstack/react-router";
import { activeAlertsQuery, pagesQuery, silencesQuery } from "~/api/queries";
import type { Page } from "~/api/types";
import { CopyMenu } from "~/components/CopyMenu";
import { asCurl } from "~/components/clipboard";
import { PageHead } from "~/components/PageHead";
import { plural } from "~/format/number";
import { formatWhen, type Zone } from "~/format/time";
import { useTimeRange } from "~/time/useTimeRange";
import { ActiveAlerts } from "./ActiveAlerts";
import { PageInbox } from "./PageInbox";
import { Rules } from "./Rules";
import { Silences } from "./Silences";
import { isUrgent } from "./severity";

const tabs = ["pages", "alerts", "silences", "rules"] as const;
type Tab = (typeof tabs)[number];

function counted(word: string, count: number | undefined): string {
  return count === undefined ? word : `${word} ${count}`;
}

/** Who knows, in a sentence, where the server gives none. */
export function pagesAnswer(pages: readonly Page[], zone: Zone): string {
  const firing = pages.filter((page) => page.status === "firing");
  const waiting = firing.filter((page) => !page.acked_by && isUrgent(page.severity));
  const [newest] = waiting.length > 0 ? waiting : pages;
  if (!newest) return "Nobody was paged yet.";
  const at = formatWhen(Date.parse(newest.time), zone, Date.now());
  if (waiting.length > 0) {
    const count = waiting.length === 1 ? "1 page waits" : `${waiting.length} pages wait`;
    return `${count} for an answer; the newest went to ${newest.receiver} at ${at}.`;
  }
  const urgent = firing.filter((page) => isUrgent(page.severity));
  if (urgent.length > 0) return `${plural(urgent.length, "page")} firing, each acknowledged.`;
  if (firing.length > 0) return `No page is firing; ${plural(firing.length, "warning")} went to a channel.`;
  return `No page is firing; the last went to ${newest.receiver} at ${at}.`;
}

/** Who knows, and why (not)? */
export function AlertsPage() {
  const search = useSearch({ strict: false });
  const navigate = useNavigate();
  const { zone } = useTimeRange();
  const pages = useQuery(pagesQuery);
  const alerts = useQuery(activeAlertsQuery);
  const silences = useQuery(silencesQuery);
  const tab: Tab = tabs.find((one) => one === search.tab) ?? "pages";
  const waiting = pages.data?.pages.some(
    (page) => page.status === "firing" && !page.acked_by && isUrgent(page.severity),
  );
  const firing = pages.data?.pages.some((page) => page.status === "firing");
  return (
    <>
      <PageHead
        title="Alerts and pages"
        answer={
          pages.data
            ? pages.data.summary || pagesAnswer(pages.data.pages, zone)
            : pages.error
              ? "It is not known who was paged."
              : "Reading the pages"
        }
        tone={pages.data ? (waiting ? "danger" : firing ? "caution" : "ok") : undefined}
        actions={
          <CopyMenu
            items={[
              { label: "Copy pages as curl", text: () => asCurl("/sb/v1/pages") },
              { label: "Copy alerts as curl", text: () => asCurl("/api/v2/alerts") },
              {
                label: "Copy as amtool",
                text: () => `amtool --alertmanager.url=${window.location.origin} alert query`,
              },
            ]}
          />
        }
      >
        <Link to="/incidents">Incidents</Link> · <Link to="/oncall">Who is on call</Link> ·{" "}
        <Link to="/remedies">Rollbacks</Link>: what was done about breaches that lasted
      </PageHead>
      <Tabs
        value={tab}
        keepMounted={false}
        onChange={(next) =>
          void navigate({
            to: ".",
            search: (old) => ({
              ...old,
              tab: next === "pages" ? undefined : (next ?? undefined),
              matchers: undefined,
            }),
          })
        }
      >
        <Tabs.List mb="md">
          <Tabs.Tab value="pages">{counted("Pages", pages.data?.pages.length)}</Tabs.Tab>
          <Tabs.Tab value="alerts">{counted("Active alerts", alerts.data?.length)}</Tabs.Tab>
          <Tabs.Tab value="silences">
            {counted(
              "Silences",
              silences.data?.filter((silence) => silence.status.state !== "expired").length,
            )}
          </Tabs.Tab>
          <Tabs.Tab value="rules">Rules</Tabs.Tab>
        </Tabs.List>
        <Tabs.Panel value="pages">
          <PageInbox query={pages} open={search.open} />
        </Tabs.Panel>
        <Tabs.Panel value="alerts">
          <ActiveAlerts query={alerts} />
        </Tabs.Panel>
        <Tabs.Panel value="silences">
          <Silences query={silences} prefill={search.matchers} />
        </Tabs.Panel>
        <Tabs.Panel value="rules">
          <Rules />
        </Tabs.Panel>
      </Tabs>
    </>
  );
}
