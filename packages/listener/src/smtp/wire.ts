import type { Encryption } from './handshake.ts';

/** The socket, as a session sees it. */
export type Wire = Readonly<{
  /** The client's literal IP address. */
  client: string;
  /** How the client is encrypted by now; null: not at all. */
  encryption(): Encryption | null;
  /** Octets as latin1. */
  write(text: string): void;
  /** Is more written than the client reads? */
  backlogged(): boolean;
  whenDrained(resume: () => void): void;
  /** Lets the client begin with TLS: nothing that it said in plain text comes after that. False: there is no handshake, and no client any more. Never rejects. */
  secure(): Promise<boolean>;
  /** Ends our side after what was written, and soon the client's. */
  end(): void;
}>;

/** One SMTP session. */
export type Session = Readonly<{
  /** The client has connected. */
  open(): void;
  /** `next` asks for more; until it is called nothing more is read from the client. */
  receive(chunk: Buffer, next: () => void): void;
  /** The client is gone. What was asked for it goes on, for the cache. */
  lost(): void;
  /** Lets an open transaction finish, and says 421 (SPEC 1.8). */
  drain(): void;
  /** Says 421 at once. */
  cut(): void;
}>;
