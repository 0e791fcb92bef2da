import type { Socket } from 'node:net';
import type { SMTPServer } from 'smtp-server';
import { SMTPConnection } from 'smtp-server/lib/smtp-connection.js';
import { SMTPStream } from 'smtp-server/lib/smtp-stream.js';
import type { Encryption, ShakeHands } from './handshake.ts';
import type { Session, Wire } from './wire.ts';

/** A client with whom one can talk. `address` and `port` are its own, also where a proxy brought it. */
export type Arrival = Readonly<{ socket: Socket; address: string; port: number; encryption: Encryption | null }>;

export type ConnectionOptions = Readonly<{
  id: string;
  converse: (wire: Wire) => Session;
  /** Never called where STARTTLS is not offered. */
  shakeHands: ShakeHands;
  /** It has its last reply, and should go. */
  leaves: () => void;
  gone: () => void;
}>;

/**
 * smtp-server's connection with the conversation taken out of its hands: it keeps the socket, its set of connections and the orderly close.
 * Its own parser runs one command at a time and so cannot look ahead; its replies, timers, address parser and upgrade to TLS are not SPEC's.
 */
export class Connection extends SMTPConnection {
  readonly talk: Session;
  readonly #options: ConnectionOptions;
  #encryption: Encryption | null;

  constructor(server: SMTPServer, { socket, address, port, encryption }: Arrival, options: ConnectionOptions) {
    super(server, socket, { id: options.id, remoteAddress: address, remotePort: port });
    this.#options = options;
    this.#encryption = encryption;
    this.talk = options.converse({
      client: this.remoteAddress,
      encryption: () => this.#encryption,
      write: (text) => {
        // In the midst of a handshake plain text would be a part of it, and nobody could read it.
        if (!this._upgrading && this._socket.writable) this._socket.write(text, 'latin1');
      },
      backlogged: () => this._socket.writableNeedDrain,
      whenDrained: (resume) => void this._socket.once('drain', resume),
      secure: () => this.#secure(),
      end: () => {
        if (this._upgrading) this._socket.destroy();
        else if (!this._closed) {
          options.leaves();
          this.close();
        }
      },
    });
  }

  override init(): void {
    this._setListeners(() => this.talk.open());
  }

  /** Called by the base class's constructor, before there is a session; nothing is read before `init`. */
  override _createParser(): SMTPStream {
    return new Octets((chunk, next) => this.talk.receive(chunk, next));
  }

  /** The session has deadlines of its own. Idle time alone would let a client hold us by an octet a minute. */
  override _armTimeout(): void {}

  override _onClose(): void {
    const first = !this._closed;
    super._onClose();
    if (!first) return;
    this.talk.lost();
    this.#options.gone();
  }

  async #secure(): Promise<boolean> {
    const plain = this._socket;
    // What was read in plain text and not yet obeyed never is: the octets of TLS get a reader of their own.
    if (this._parser !== false) {
      plain.unpipe(this._parser);
      this._parser.isClosed = true;
    }
    this._parser = this._createParser();
    this._upgrading = true;
    const shaken = await this.#options.shakeHands(plain);
    this._upgrading = false;
    if (shaken.kind === 'failed') return false;
    this._socket = shaken.socket;
    this.#encryption = shaken.encryption;
    if (this._closed) shaken.socket.destroy();
    else this._setListeners(() => {});
    return !this._closed;
  }
}

type Receive = (chunk: Buffer, next: () => void) => void;

/** Hands the octets over as they came. */
class Octets extends SMTPStream {
  readonly #receive: Receive;

  constructor(receive: Receive) {
    super();
    this.#receive = receive;
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding | 'buffer', next: () => void): void {
    if (this.isClosed) next();
    else this.#receive(chunk, next);
  }

  /** What stands before a FIN without a line end is no command. */
  override _flushData(): void {}
}
