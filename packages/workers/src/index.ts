// What an embedder needs of core, so that one import will do.
export {
  type EngineReport,
  type Event,
  type LoanReport,
  parseRecipient,
  type Recipient,
  type Route,
  type Verdict,
} from '@callahead/core';
export type { Ask } from './ask.ts';
export { createEngine, type Engine, type EngineOptions } from './engine.ts';
export { type StaticRouteOptions, type StaticServer, staticRoute } from './static-route.ts';
