import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { createCacheFile, decodeCache, encodeCache, type Frame } from '../../packages/workers/src/cache-file.ts';
import { temporaryFolder } from '../support/debian.ts';

const frames: readonly Frame[] = [
  { destination: 'corp mx.example:25', answers: Buffer.from('some answers') },
  { destination: 'corp mx.example:25', answers: Buffer.from([0, 255, 13, 10]) },
  { destination: 'größe', answers: Buffer.alloc(0) },
];

async function* given(...some: readonly Frame[]): AsyncGenerator<Frame> {
  yield* some;
}

async function place(t: ExecutionContext): Promise<Readonly<{ folder: string; path: string }>> {
  const folder = await temporaryFolder('cache');
  t.teardown(folder.remove);
  return { folder: folder.path, path: join(folder.path, 'cache.bin') };
}

test('what is written is read again, and nobody else may read it', async (t) => {
  const { path } = await place(t);
  const file = createCacheFile(path);
  t.deepEqual(await file.read(), { kind: 'absent' });
  const octets = await file.write(given(...frames));
  const { size, mode } = statSync(path);
  t.is(size, octets);
  t.is(mode & 0o777, 0o600);
  const read = await file.read();
  t.is(read.kind, 'read');
  t.deepEqual(
    read.kind === 'read' && read.frames.map((frame) => ({ ...frame, answers: [...frame.answers] })),
    frames.map((frame) => ({ ...frame, answers: [...frame.answers] })),
  );
});

test('a file that is damaged at any octet, cut anywhere or longer than it was is not believed', (t) => {
  const whole = encodeCache(frames);
  t.is(decodeCache(whole).kind, 'read');
  for (let at = 0; at < whole.length; at++) {
    for (const flip of [1, 0x80, 0xff]) {
      const wrong = Buffer.from(whole);
      wrong[at] = (wrong[at] ?? 0) ^ flip;
      t.is(decodeCache(wrong).kind, 'damaged', `octet ${at}`);
    }
    t.is(decodeCache(whole.subarray(0, at)).kind, 'damaged', `cut at ${at}`);
  }
  t.is(decodeCache(Buffer.concat([whole, Buffer.from([0])])).kind, 'damaged');
});

test('a frame that is missing is damage, though every other one is whole', (t) => {
  const whole = encodeCache(frames);
  const [first] = frames;
  const without = first === undefined ? 0 : encodeCache([first]).length - encodeCache([]).length;
  const head = encodeCache([]).length - 12;
  t.is(decodeCache(Buffer.concat([whole.subarray(0, head), whole.subarray(head + without)])).kind, 'damaged');
});

test('a disk that is full leaves the old file, and nothing else', async (t) => {
  const { folder, path } = await place(t);
  await createCacheFile(path).write(given(...frames));
  const before = readFileSync(path);
  let writes = 0;
  const full = createCacheFile(path, async (...args) => {
    const handle = await open(...args);
    const write = handle.writeFile.bind(handle);
    handle.writeFile = (...what) => {
      writes++;
      return writes < 3 ? write(...what) : Promise.reject(new Error('ENOSPC: no space left on device'));
    };
    return handle;
  });
  await t.throwsAsync(full.write(given(...frames, ...frames)), { message: /ENOSPC/ });
  t.deepEqual(readFileSync(path), before);
  t.deepEqual(readdirSync(folder), ['cache.bin']);
});

test('what a kill left half written is no hindrance', async (t) => {
  const { folder, path } = await place(t);
  writeFileSync(`${path}.new`, 'half', { mode: 0o644 });
  await createCacheFile(path).write(given(...frames));
  t.is(statSync(path).mode & 0o777, 0o600);
  t.deepEqual(readdirSync(folder), ['cache.bin']);
});

test('a path that cannot be read is damage that says why', async (t) => {
  const { folder } = await place(t);
  t.like(await createCacheFile(folder).read(), { kind: 'damaged' });
  await t.throwsAsync(createCacheFile(join(folder, 'none', 'cache.bin')).write(given()), { message: /ENOENT/ });
});
