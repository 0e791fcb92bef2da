export { answer, answerMessage, type Circumstances } from './answer.ts';
export { type Connections, type ConnectionsOptions, createConnections } from './connections.ts';
export { createHarvestCounter, type HarvestCounter, type HarvestOptions } from './dhap.ts';
export { createFrontDoor, type FrontDoorOptions, UNKNOWN, VALID } from './front-door.ts';
export {
  type Begin,
  createGate,
  type Gate,
  type GateOptions,
  type HoldSource,
  type Locate,
  type Ticket,
} from './gate.ts';
export { openTransaction, type Transaction } from './incoming.ts';
export { createListener, type Listener, type ListenerOptions } from './listener.ts';
export type { Deliver } from './own-relay.ts';
export { createHolds, type Holds } from './refusals.ts';
export { createRelay, type Opened, type Relay, type RelayOptions } from './relay.ts';
export { type ListeningSocket, openSocket } from './sockets.ts';
export { SAYS } from './texts.ts';
export { createUsage, type Usage } from './usage.ts';
