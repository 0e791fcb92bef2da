export { type AccessPattern, type ParsedAccessPattern, parseAccessPattern } from './access/access-pattern.ts';
export {
  type Admission,
  type Client,
  compileHostAccess,
  EVERYBODY,
  type HarvestProtection,
  type HostAccess,
  type NamesOf,
  type Policy,
  type SenderGroup,
} from './access/host-access.ts';
export { type HostPattern, type ParsedHostPattern, parseHostPattern } from './access/host-pattern.ts';
export {
  type AccessDecision,
  type AccessEntry,
  compileRecipientAccess,
  type RecipientAccess,
} from './access/recipient-access.ts';
export { packAnswers, packToMain, packToWorker, unpackAnswers, unpackToMain, unpackToWorker } from './codec.ts';
export { type Endpoint, parseEndpoint } from './config/endpoints.ts';
export type { Decision } from './decision.ts';
export { ConfigurationError, type Problem, problemLine } from './errors.ts';
export { EVENTS, type EventLevel, eventsReference, type FieldKind } from './event-table.ts';
export type { Checked, CheckedRecipient, Emit, Event, ShedReason } from './events.ts';
export type { ExplainedDelivery, Explanation } from './explanation.ts';
export { addHistogram, countOf, createHistogram, type Histogram, observe, quantile, SECONDS } from './histogram.ts';
export { type LdapTemplate, type LdapToken, parseLdapBase, parseLdapFilter } from './ldap-template.ts';
export {
  type Interfaces,
  type IpFamily,
  isOfFamily,
  type LocalAddress,
  type LocalInterface,
  localAddressFor,
  machineInterfaces,
} from './local-address.ts';
export {
  type Answer,
  type CacheEntry,
  type DestinationCounts,
  type DestinationReport,
  type LoanOutcome,
  loanName,
  type SavedAnswers,
  type ServerConnections,
  type ThreadReport,
  type ToMain,
  type ToWorker,
} from './message.ts';
export { METRICS, type Metric, type MetricName, metricsReference } from './metrics.ts';
export { createPeak, type Peak } from './peak.ts';
export type {
  Action,
  Actions,
  Canary,
  Hop,
  Probe,
  Profile,
  Protocol,
  ServerAuth,
  ServerTls,
  TlsVersion,
} from './profile.ts';
export {
  type AddressOptions,
  fromCanonical,
  type ParsedRecipient,
  type ParsedSender,
  parseRecipient,
  parseSender,
  type Recipient,
} from './recipient.ts';
export {
  addVerdicts,
  type DestinationTotals,
  type EngineReport,
  type LoanReport,
  noVerdicts,
  OTHERS,
  type ServerTotals,
  type Totals,
  type VerdictCounts,
  type Vitals,
} from './report.ts';
export type {
  DeliveryRequest,
  DeliveryRoute,
  DeliveryRouting,
  Flush,
  Request,
  Route,
  RouteSource,
  Routing,
  Validate,
} from './route.ts';
export { createRow, type Row } from './row.ts';
export { sameSettings } from './same-settings.ts';
export { type Secret, secretOf } from './secret.ts';
export { hostPort, type Server, serverName, type Target } from './server.ts';
export { serversInOrder } from './server-order.ts';
export type {
  AdminSettings,
  Configuration,
  DeliverySettings,
  DnsSettings,
  EngineSettings,
  LdapRoutingSettings,
  LdapServerSettings,
  LdapSettings,
  LdapTls,
  LdapUrl,
  Limits,
  ListenAddress,
  ListenerSettings,
  ListenerTls,
  LogSettings,
  Network,
  Self,
  SmtpRoute,
  SmtpRoutes,
} from './settings.ts';
export { authenticate } from './smtp/authenticate.ts';
export { type Capabilities, greetedName, noCapabilities, parseCapabilities } from './smtp/capabilities.ts';
export { type Behind, type Broken, type Conversation, openConversation, type Said } from './smtp/conversation.ts';
export { type Dialed, dial, linger, type Place, placesOf } from './smtp/dial.ts';
export { createReplyParser, type Malformed, type RawReply, type ReplyParser } from './smtp/reply.ts';
export { type Secured, type SecuringOptions, startTls } from './smtp/starttls.ts';
export { isAboutUs, oneLine, printReply, readStatus, saysEnough, saysUnknown } from './smtp/status.ts';
export type { Recorder, Step } from './step.ts';
export { type Cause, failed, type Reply, type Source, type Verdict, type VerdictKind } from './verdict.ts';
export { createWheel, type Spoke, type Wheel } from './wheel.ts';
