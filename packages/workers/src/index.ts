// What an embedder needs of core, so that one import will do.
export { type Event, parseRecipient, type Recipient, type Route, type Verdict } from '@callahead/core';
export type { Ask } from './ask.ts';
export { createEngine, type Engine, type EngineOptions, type Report } from './engine.ts';
export type { LoanReport } from './loans.ts';
export { type StaticRouteOptions, type StaticServer, staticRoute } from './static-route.ts';
