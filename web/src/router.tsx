import {
  createRootRoute,
  createRoute,
  createRouter,
  lazyRouteComponent,
  redirect,
  retainSearchParams,
} from "@tanstack/react-router";
import { NotFound } from "./shell/NotFound";
import { Root } from "./shell/Root";
import { RouteError } from "./shell/RouteError";
import { type AppSearch, parseSearch, sharedKeys, stringifySearch } from "./shell/search";

const root = createRootRoute({
  component: Root,
  notFoundComponent: NotFound,
  validateSearch: (search: Record<string, unknown>): AppSearch => search as AppSearch,
  search: { middlewares: [retainSearchParams([...sharedKeys])] },
});

const routes = [
  createRoute({
    getParentRoute: () => root,
    path: "/me",
    component: lazyRouteComponent(() => import("./pages/me/MePage"), "MePage"),
  }),
  createRoute({
    getParentRoute: () => root,
    path: "/admin",
    component: lazyRouteComponent(() => import("./pages/admin/AdminPage"), "AdminPage"),
  }),
  createRoute({
    getParentRoute: () => root,
    path: "/tenants",
    component: lazyRouteComponent(() => import("./pages/tenants/TenantsPage"), "TenantsPage"),
  }),
  createRoute({
    getParentRoute: () => root,
    path: "/audit",
    component: lazyRouteComponent(() => import("./pages/audit/AuditPage"), "AuditPage"),
  }),
  createRoute({
    getParentRoute: () => root,
    path: "/access-review",
    component: lazyRouteComponent(() => import("./pages/review/ReviewPage"), "ReviewPage"),
  }),
  createRoute({
    getParentRoute: () => root,
    path: "/login",
    component: lazyRouteComponent(() => import("./pages/login/LoginPage"), "LoginPage"),
  }),
  createRoute({
    getParentRoute: () => root,
    path: "/setup",
    component: lazyRouteComponent(() => import("./pages/setup/SetupPage"), "SetupPage"),
  }),
  createRoute({
    getParentRoute: () => root,
    path: "/",
    component: lazyRouteComponent(() => import("./pages/overview/OverviewPage"), "OverviewPage"),
  }),
  createRoute({
    getParentRoute: () => root,
    path: "/slos/new",
    component: lazyRouteComponent(() => import("./pages/wizard/WizardPage"), "WizardPage"),
  }),
  createRoute({
    getParentRoute: () => root,
    path: "/reports",
    component: lazyRouteComponent(() => import("./pages/reports/ReportPage"), "ReportPage"),
  }),
  createRoute({
    getParentRoute: () => root,
    path: "/reports/rules",
    component: lazyRouteComponent(() => import("./pages/reports/RulesReviewPage"), "RulesReviewPage"),
  }),
  createRoute({
    getParentRoute: () => root,
    path: "/remedies",
    component: lazyRouteComponent(() => import("./pages/remedies/RemediesPage"), "RemediesPage"),
  }),
  createRoute({
    getParentRoute: () => root,
    path: "/oncall",
    component: lazyRouteComponent(() => import("./pages/oncall/OnCallPage"), "OnCallPage"),
  }),
  createRoute({
    getParentRoute: () => root,
    path: "/catalog",
    component: lazyRouteComponent(() => import("./pages/catalog/CatalogPage"), "CatalogPage"),
  }),
  createRoute({
    getParentRoute: () => root,
    path: "/runbooks",
    component: lazyRouteComponent(() => import("./pages/runbooks/RunbooksPage"), "RunbooksPage"),
  }),
  createRoute({
    getParentRoute: () => root,
    path: "/runbooks/$name",
    component: lazyRouteComponent(() => import("./pages/runbooks/RunbookPage"), "RunbookPage"),
  }),
  createRoute({
    getParentRoute: () => root,
    path: "/backtest",
    component: lazyRouteComponent(() => import("./pages/backtest/BacktestPage"), "BacktestPage"),
  }),
  createRoute({
    getParentRoute: () => root,
    path: "/slos/$name",
    component: lazyRouteComponent(() => import("./pages/slo/SloPage"), "SloPage"),
  }),
  createRoute({
    getParentRoute: () => root,
    path: "/services",
    component: lazyRouteComponent(() => import("./pages/services/ServicesPage"), "ServicesPage"),
  }),
  createRoute({
    getParentRoute: () => root,
    path: "/services/$name",
    component: lazyRouteComponent(() => import("./pages/services/ServicePage"), "ServicePage"),
  }),
  // The web port's /metrics is Signalbox' own exposition, so the metrics page is /query, as in Prometheus.
  createRoute({
    getParentRoute: () => root,
    path: "/query",
    component: lazyRouteComponent(() => import("./pages/metrics/MetricsPage"), "MetricsPage"),
  }),
  // The link that Prometheus' rules write into alerts.
  createRoute({
    getParentRoute: () => root,
    path: "/graph",
    beforeLoad: ({ search }) => {
      const expr = (search as Record<string, string>)["g0.expr"];
      throw redirect({ to: "/query", search: { expr: expr ? [expr] : undefined } });
    },
  }),
  createRoute({
    getParentRoute: () => root,
    path: "/logs",
    component: lazyRouteComponent(() => import("./pages/logs/LogsPage"), "LogsPage"),
  }),
  createRoute({
    getParentRoute: () => root,
    path: "/traces",
    component: lazyRouteComponent(() => import("./pages/traces/TracesPage"), "TracesPage"),
  }),
  createRoute({
    getParentRoute: () => root,
    path: "/traces/$id",
    component: lazyRouteComponent(() => import("./pages/trace/TracePage"), "TracePage"),
  }),
  createRoute({
    getParentRoute: () => root,
    path: "/alerts",
    component: lazyRouteComponent(() => import("./pages/alerts/AlertsPage"), "AlertsPage"),
  }),
  createRoute({
    getParentRoute: () => root,
    path: "/alerts/$alert",
    component: lazyRouteComponent(() => import("./pages/alerts/ExplainPage"), "ExplainPage"),
  }),
  createRoute({
    getParentRoute: () => root,
    path: "/incidents",
    component: lazyRouteComponent(() => import("./pages/incidents/IncidentsPage"), "IncidentsPage"),
  }),
  createRoute({
    getParentRoute: () => root,
    path: "/incidents/$id",
    component: lazyRouteComponent(() => import("./pages/incidents/IncidentPage"), "IncidentPage"),
  }),
  createRoute({
    getParentRoute: () => root,
    path: "/gate",
    component: lazyRouteComponent(() => import("./pages/gate/GatePage"), "GatePage"),
  }),
  createRoute({
    getParentRoute: () => root,
    path: "/gate/policies",
    component: lazyRouteComponent(() => import("./pages/policies/PoliciesPage"), "PoliciesPage"),
  }),
  createRoute({
    getParentRoute: () => root,
    path: "/gate/canary",
    component: lazyRouteComponent(() => import("./pages/canary/CanaryPage"), "CanaryPage"),
  }),
  createRoute({
    getParentRoute: () => root,
    path: "/gate/$id",
    component: lazyRouteComponent(() => import("./pages/gate/DecisionPage"), "DecisionPage"),
  }),
] as const;

export const routeTree = root.addChildren(routes);

export const router = createRouter({
  routeTree,
  parseSearch: (text) => parseSearch(text) as Record<string, unknown>,
  stringifySearch,
  defaultPreload: "intent",
  defaultErrorComponent: RouteError,
  scrollRestoration: true,
});

declare module "@tanstack/react-router" {
  interface Register {
    router: typeof router;
  }
}
