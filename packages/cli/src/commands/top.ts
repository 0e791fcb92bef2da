import { type GatewayClient, openGatewayClient, type Trouble, tell } from '../gateway-client.ts';
import type { Terminal } from '../terminal.ts';
import { frame, type Row, SORTS, type Sort } from '../top/frame.ts';
import { openScreen } from '../top/screen.ts';
import { type Snapshot, snapshotOf } from '../top/snapshot.ts';
import { watch } from '../top/watch.ts';

/** Width of the one picture that is printed where there is no terminal. */
const PRINTED_COLUMNS = 200;

/**
 * Shows the running gateway, live on a terminal, else once as text (SPEC 1.6). Exit codes: 0 shown; 1 no gateway answers; 2 usage or configuration;
 * 3 the gateway has too many who watch it.
 */
export async function topCommand({ file }: Readonly<{ file: string }>, terminal: Terminal): Promise<number> {
  const client = await openGatewayClient(file, terminal);
  if (client === null) return 2;
  const trouble = terminal.stdout.isTTY ? await showLive(client, terminal) : await printOnce(client, terminal);
  return trouble === null ? 0 : tell(trouble, terminal);
}

async function printOnce(client: GatewayClient, { stdout }: Terminal): Promise<Trouble | null> {
  const answer = await client.ask('/api/v1/status', 'profiles');
  if (answer.kind === 'trouble') return answer;
  const now = snapshotOf(answer.body);
  if (now === null) return strange(client);
  const rows = frame(
    { now, before: null, sort: 'rate', notice: '' },
    { columns: PRINTED_COLUMNS, rows: Number.MAX_SAFE_INTEGER },
  );
  stdout.write(
    rows
      .map(
        (row) =>
          `${row
            .map(([, text]) => text)
            .join('')
            .trimEnd()}\n`,
      )
      .join(''),
  );
  return null;
}

function strange({ at }: GatewayClient): Trouble {
  return { kind: 'trouble', lines: [`what answers at ${at} is no gateway of this version`], exitCode: 1 };
}

type Seen = Readonly<{ now: Snapshot; before: Snapshot | null }>;

/** Until somebody ends it. The first answer opens the screen: what is wrong before is told on the terminal as it is. */
async function showLive(client: GatewayClient, { stdout }: Terminal): Promise<Trouble | null> {
  const end = new AbortController();
  let screen: ReturnType<typeof openScreen> | null = null;
  let seen: Seen | null = null;
  /** What is shown while it is paused. */
  let held: Seen | null = null;
  let sort: Sort = 'rate';
  let lost = '';
  let lostSince: string | null = null;

  function draw(): void {
    const shown = held ?? seen;
    if (screen === null || shown === null) return;
    const { columns, rows } = screen.size();
    const notice = [lost, held === null ? '' : 'paused'].filter((each) => each !== '').join(', ');
    const lines = frame({ ...shown, sort, notice }, { columns, rows: rows - 1 });
    const blank: Row[] = Array.from({ length: Math.max(0, rows - 1 - lines.length) }, () => []);
    const keys = `q quit  p ${held === null ? 'pause' : 'go on'}  s sort by ${sort}`;
    screen.draw([...lines, ...blank, [['faint', keys.slice(0, columns)]]]);
  }

  function obey(key: string): void {
    if (key === 'q') end.abort();
    if (key === 'p') held = held === null ? seen : null;
    if (key === 's') sort = SORTS[(SORTS.indexOf(sort) + 1) % SORTS.length] ?? sort;
    draw();
  }

  function see(now: Snapshot): void {
    lost = '';
    lostSince = null;
    seen = { now, before: seen?.now ?? null };
    screen ??= openScreen({ stdout, stdin: process.stdin, key: obey, resized: draw, ended: () => end.abort() });
    draw();
  }

  function lose({ lines }: Trouble): void {
    lostSince ??= new Date().toTimeString().slice(0, 8);
    lost = `disconnected since ${lostSince}: ${lines[0] ?? ''}`;
    draw();
  }

  try {
    return await watch(client, { see, lose }, end.signal);
  } finally {
    (screen as ReturnType<typeof openScreen> | null)?.close();
  }
}
