import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import test from 'ava';
import { startFakeServer } from '../support/fake-server.ts';

const EXAMPLE = fileURLToPath(new URL('../../examples/embed/validate.ts', import.meta.url));

test('the example of embedding says which addresses a server knows, says QUIT and ends', async (t) => {
  const server = await startFakeServer({ users: ['ann@corp.example', 'bob@corp.example'] });
  t.teardown(server.stop);
  const addresses = ['ann@corp.example', 'nobody@corp.example', 'bob@CORP.example', 'no address'];
  const { stdout } = await promisify(execFile)(process.execPath, [EXAMPLE, server.at, ...addresses], {
    timeout: 60_000,
  });
  t.deepEqual(stdout.trimEnd().split('\n'), [
    'ann@corp.example valid',
    'nobody@corp.example unknown',
    'bob@CORP.example valid',
    'no address is no address',
  ]);
  t.true(server.mostOpen() <= 5);
  for (const session of server.sessions) t.is(session.lines.at(-1), 'QUIT');
});
