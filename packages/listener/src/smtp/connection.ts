import type { Socket } from 'node:net';
import type { SMTPServer } from 'smtp-server';
import { SMTPConnection } from 'smtp-server/lib/smtp-connection.js';
import { SMTPStream } from 'smtp-server/lib/smtp-stream.js';
import type { Session, Wire } from './session.ts';

/**
 * smtp-server's connection with the conversation taken out of its hands: it keeps the socket, its set of connections, the orderly close, and
 * later the upgrade to TLS. Its own parser runs one command at a time and so cannot look ahead; its replies, timers and address parser are not SPEC's.
 */
export class Connection extends SMTPConnection {
  readonly talk: Session;
  readonly #gone: () => void;

  constructor(
    server: SMTPServer,
    socket: Socket,
    { id, converse, gone }: Readonly<{ id: string; converse: (wire: Wire) => Session; gone: () => void }>,
  ) {
    super(server, socket, { id });
    this.#gone = gone;
    this.talk = converse({
      client: this.remoteAddress,
      write: (text) => {
        if (socket.writable) socket.write(text, 'latin1');
      },
      backlogged: () => socket.writableNeedDrain,
      whenDrained: (resume) => void socket.once('drain', resume),
      end: () => {
        if (!this._closed) this.close();
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
    this.#gone();
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
