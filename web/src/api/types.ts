/** The API's shapes. Our own come from openapi.json by `npm run gen`; Prometheus' and Alertmanager's are written here. */
import type { components } from "./schema";

type Schemas = components["schemas"];

export type Catalog = Schemas["CatalogListing"];
export type CatalogEntry = Schemas["CatalogEntry"];
export type CatalogGap = Schemas["CatalogGap"];
export type CatalogGaps = Schemas["CatalogGapList"];
export type Runbook = Schemas["Runbook"];
export type RunbookBlock = Schemas["RunbookBlock"];
export type RunbookList = Schemas["RunbookListing"];
export type RunbookSpan = Schemas["RunbookSpan"];
export type Incident = Schemas["Incident"];
export type IncidentList = Schemas["IncidentResponse"];
export type IncidentDetail = Schemas["IncidentDetail"];
export type IncidentOrder = Schemas["IncidentOrder"];
export type IncidentEdit = Schemas["IncidentEdit"];
export type IncidentTask = Schemas["IncidentTask"];
export type IncidentTaskRequest = Schemas["IncidentTaskRequest"];
export type IncidentNoteRequest = Schemas["IncidentNoteRequest"];
export type IncidentLookRequest = Schemas["IncidentLookRequest"];
export type IncidentMergeRequest = Schemas["IncidentMergeRequest"];
export type IncidentSplitRequest = Schemas["IncidentSplitRequest"];
export type IncidentStatusRequest = Schemas["IncidentStatusRequest"];
export type IncidentPage = Schemas["IncidentPage"];
export type IncidentEntry = Schemas["IncidentEntry"];
export type IncidentSource = Schemas["IncidentSource"];
export type IncidentTimeline = Schemas["IncidentTimeline"];
export type IncidentSimilar = Schemas["IncidentSimilar"];
export type IncidentFigures = Schemas["IncidentFigures"];
export type IncidentMean = Schemas["IncidentMean"];
export type IncidentPeriods = Schemas["IncidentFiguresResponse"];
export type IncidentOverdue = Schemas["IncidentOverdue"];
export type IncidentOverdueList = Schemas["IncidentOverdueResponse"];
export type IncidentDeadline = Schemas["IncidentDeadline"];
export type IncidentPostmortem = Schemas["IncidentPostmortem"];
export type IncidentPostmortemRequest = Schemas["IncidentPostmortemRequest"];
export type SLOStatus = Schemas["SLOStatus"];
export type SLOList = Schemas["SLOsResponse"];
export type SLOHistory = Schemas["SLOHistory"];
export type SLOHistoryPoint = Schemas["SLOHistoryPoint"];
export type SLOBand = Schemas["SLOBand"];
export type Burn = Schemas["Burn"];
export type Budget = Schemas["Budget"];
export type TenantList = Schemas["TenantsResponse"];
export type TenantUsage = Schemas["TenantUsage"];
export type Deploy = Schemas["Deploy"];
export type DeployList = Schemas["DeploysResponse"];
export type Edge = Schemas["Edge"];
export type ServiceRow = Schemas["ServiceSummary"];
export type ServiceList = Schemas["ServicesResponse"];
export type ServiceDetail = Schemas["ServiceDetail"];
export type ServiceSlice = Schemas["ServiceSlice"];
export type LogRecord = Schemas["LogRecord"];
export type LogList = Schemas["LogsResponse"];
export type Histogram = Schemas["HistogramResponse"];
export type FieldList = Schemas["FieldsResponse"];
export type FieldValue = Schemas["ValueCount"];
export type ValueList = Schemas["ValuesResponse"];
export type TraceRow = Schemas["TraceItem"];
export type TraceList = Schemas["TracesResponse"];
export type TraceDetail = Schemas["Trace"];
export type Span = Schemas["Span"];
export type SpanEvent = Schemas["SpanEvent"];
export type SpanLink = Schemas["SpanLink"];
export type Resource = Schemas["Resource"];
export type GateRequest = Schemas["GateRequest"];
export type GateDecision = Schemas["GateDecision"];
export type Evidence = Schemas["Evidence"];
export type GateReason = Schemas["GateReason"];
export type GateOverride = Schemas["GateOverride"];
export type Replay = Schemas["Replay"];
export type PolicyView = Schemas["PolicyView"];
export type NamedPolicy = Schemas["NamedPolicy"];
export type PolicyRules = Schemas["Policy"];
export type Freeze = Schemas["Freeze"];
export type Standing = Schemas["Standing"];
export type CanaryRequest = Schemas["CanaryRequest"];
export type CanaryResult = Schemas["CanaryResult"];
export type CanaryCheck = Schemas["CanaryCheck"];
export type CanaryFigures = Schemas["CanaryFigures"];
export type Correction = Schemas["SLOCorrection"];
export type BacktestBody = Schemas["BacktestBody"];
export type BacktestSet = Schemas["BacktestSet"];
export type BacktestDocument = Schemas["Document"];
export type BacktestJob = Schemas["BacktestJob"];
export type BacktestResult = Schemas["BacktestResult"];
export type BacktestOutcome = Schemas["BacktestOutcome"];
export type BacktestPage = Schemas["BacktestPage"];
export type BacktestAlert = Schemas["BacktestAlert"];
export type BacktestDeploy = Schemas["BacktestDeploy"];
export type BacktestSLO = Schemas["BacktestSLO"];
export type Report = Schemas["Report"];
export type RulesReview = Schemas["RuleReview"];
export type ReviewedRule = Schemas["ReviewedRule"];
export type ReportSLO = Schemas["ReportSLO"];
export type ReportEpisode = Schemas["ReportEpisode"];
export type ReportInternal = Schemas["ReportInternal"];
export type Remedy = Schemas["Remedy"];
export type RemediationListing = Schemas["RemediationListing"];
export type RemediationRun = Schemas["RemediationRun"];
export type RemediationRuns = Schemas["RemediationRuns"];
export type AccessReview = Schemas["Review"];
export type AccessHolder = Schemas["Holder"];
export type AuditTarget = Schemas["AuditTarget"];
export type AuditTargets = Schemas["AuditTargetsResponse"];
export type AuditList = Schemas["AuditResponse"];
export type Me = Schemas["MeResponse"];
export type LoginMethod = Schemas["Method"];
export type LoginMethods = Schemas["MethodsResponse"];
export type Roles = Schemas["RolesResponse"];
export type Grant = Schemas["Grant"];
export type Token = Schemas["TokenInfo"];
export type NewToken = Schemas["NewTokenResponse"];
export type Tokens = Schemas["TokensResponse"];
export type Session = Schemas["SessionInfo"];
export type Sessions = Schemas["SessionsResponse"];
export type User = Schemas["UserInfo"];
export type Users = Schemas["UsersResponse"];
export type AuditEntry = Schemas["AuditEntry"];
export type AuditVerified = Schemas["AuditVerification"];
export type LoggedOut = Schemas["OutResponse"];
export type Started = Schemas["StartedResponse"];
export type RemedyList = Schemas["RemediesResponse"];
export type OnCall = Schemas["OnCallResponse"];
export type OnCallSchedule = Schemas["Schedule"];
export type OnCallPerson = Schemas["Person"];
export type Shift = Schemas["Shift"];
export type Turn = Schemas["Turn"];
export type ShiftList = Schemas["ShiftsResponse"];
export type Coverage = Schemas["Coverage"];
export type Fairness = Schemas["Fairness"];
export type Heartbeat = Schemas["HeartbeatStanding"];
export type HeartbeatList = Schemas["HeartbeatsResponse"];
export type Swap = Schemas["Swap"];
export type SwapList = Schemas["SwapsResponse"];
export type SwapRequest = Schemas["SwapRequest"];
export type SwapAnswer = Schemas["SwapAnswerRequest"];
export type Escalation = Schemas["View"];
export type Rung = Schemas["Rung"];
export type Attempt = Schemas["Attempt"];
export type Policies = Schemas["PoliciesResponse"];
export type EscalationPolicy = Schemas["EscalationPolicy"];
export type EscalationTarget = Schemas["EscalationTarget"];
export type EscalationLevel = Schemas["Level"];
export type LevelCoverage = Schemas["LevelCoverage"];
export type Contacts = Schemas["ContactsResponse"];
export type ContactState = Schemas["ContactState"];
export type DrillRequest = Schemas["DrillRequest"];
export type DrillSent = Schemas["DrillSent"];
export type ChannelState = Schemas["State"];
export type Channels = Schemas["ChannelsResponse"];
export type ChannelTest = Schemas["ChannelTestResponse"];
export type DecisionList = Schemas["DecisionsResponse"];
export type Page = Schemas["Page"];
export type PageList = Schemas["PagesResponse"];
export type Delivery = Schemas["Delivery"];
export type CauseList = Schemas["CausesResponse"];
export type CauseGroup = Schemas["CauseGroup"];
export type Explanation = Schemas["Explanation"];
export type Status = Schemas["Status"];
export type SLOState = SLOStatus["state"];
export type Verdict = GateDecision["verdict"];
export type Attributes = Record<string, unknown>;

/** Alertmanager API v2. */
export interface AmAlert {
  fingerprint: string;
  labels: Record<string, string>;
  annotations: Record<string, string>;
  startsAt: string;
  endsAt: string;
  updatedAt: string;
  generatorURL?: string;
  receivers: { name: string }[];
  status: { state: "unprocessed" | "active" | "suppressed"; silencedBy: string[]; inhibitedBy: string[] };
}

export interface Matcher {
  name: string;
  value: string;
  isRegex: boolean;
  isEqual?: boolean;
}

export interface Silence {
  id: string;
  matchers: Matcher[];
  startsAt: string;
  endsAt: string;
  createdBy: string;
  comment: string;
  status: { state: "active" | "pending" | "expired" };
}

/** Prometheus HTTP API. */
export type PromLabels = Record<string, string>;

export interface PromMatrixSeries {
  metric: PromLabels;
  values?: [number, string][];
  histograms?: unknown[];
}

export interface PromVectorSample {
  metric: PromLabels;
  value?: [number, string];
  histogram?: [number, { count: string; sum: string }];
}

export type PromData =
  | { resultType: "matrix"; result: PromMatrixSeries[] }
  | { resultType: "vector"; result: PromVectorSample[] }
  | { resultType: "scalar" | "string"; result: [number, string] };

export interface PromResult {
  data: PromData;
  warnings: string[];
  infos: string[];
}

export interface PromExemplarSeries {
  seriesLabels: PromLabels;
  exemplars: { labels: PromLabels; value: string; timestamp: number }[];
}

export interface PromRule {
  name: string;
  type: "alerting" | "recording";
  query: string;
  health: string;
  lastError?: string;
  state?: "firing" | "pending" | "inactive" | "unknown";
  duration?: number;
  labels?: PromLabels;
  annotations?: PromLabels;
  alerts?: { activeAt?: string; state: string; labels: PromLabels; value: string }[];
  lastEvaluation?: string;
  evaluationTime?: number;
}

export interface PromRuleGroup {
  name: string;
  file: string;
  interval: number;
  rules: PromRule[];
}
