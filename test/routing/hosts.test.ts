import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import { createHosts, parseHosts } from '../../packages/routing/src/hosts.ts';

test('a line of the hosts file is an address and its names; a name on two lines has both addresses', (t) => {
  const table = parseHosts(
    '# local\n127.0.0.1\tlocalhost Mail.Corp # ours\n::1 localhost ip6-localhost\n\nnonsense x\n192.0.2.1 localhost\n',
  );
  t.deepEqual(table.get('localhost'), ['127.0.0.1', '::1', '192.0.2.1']);
  t.deepEqual(table.get('mail.corp'), ['127.0.0.1']);
  t.false(table.has('ours'));
  t.false(table.has('x'));
});

test('a file that changes is read again after five seconds, one that is gone has no names', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'callahead-hosts-'));
  t.teardown(() => rm(folder, { recursive: true }));
  const path = join(folder, 'hosts');
  let clockMs = 0;
  const hosts = createHosts(path, () => clockMs);
  const addresses = async (): Promise<readonly string[]> => (await hosts.lookup('mail.corp')).addresses;

  t.deepEqual(await addresses(), []);
  await writeFile(path, '192.0.2.1 mail.corp\n');
  t.deepEqual(await addresses(), [], 'not yet');
  clockMs = 5_000;
  t.deepEqual(await addresses(), ['192.0.2.1']);
  await writeFile(`${path}.new`, '192.0.2.2 mail.corp\n');
  await rename(`${path}.new`, path);
  clockMs = 10_000;
  t.deepEqual(await addresses(), ['192.0.2.2']);
  await rm(path);
  clockMs = 15_000;
  t.deepEqual(await addresses(), []);
});
