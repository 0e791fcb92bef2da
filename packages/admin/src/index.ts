export { type Canaries, createCanaries } from './canaries.ts';
export type { Changes, ListenerState, Operations, Reloaded, State } from './operations.ts';
export type { VerdictRow } from './recent.ts';
export { type Admin, type AdminOptions, createAdmin } from './server.ts';
export type { CacheEntryShown } from './shown.ts';
export type { Status } from './status.ts';
