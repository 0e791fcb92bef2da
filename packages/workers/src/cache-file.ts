/**
 * The file in which cached answers outlive a restart (SPEC 8.7): a head, frames with a checksum each, an end that counts them. It is written beside the
 * old one and takes its place once all of it is on the disk. What is damaged anywhere is no file.
 */
import { type FileHandle, open as openFile, readFile, rename, rm, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { crc32 } from 'node:zlib';
import { packAnswers, type SavedAnswers } from '@callahead/core';

/** Answers of one destination as they are in the file; times are of the wall clock. */
export type Frame = Readonly<{ destination: string; answers: Uint8Array }>;

export type ReadCache =
  | Readonly<{ kind: 'read'; frames: readonly Frame[] }>
  | Readonly<{ kind: 'absent' }>
  | Readonly<{ kind: 'damaged'; detail: string }>;

export type CacheFile = Readonly<{
  /** Never rejects. */
  read(): Promise<ReadCache>;
  /** Rejects where it cannot be written; the old file is still there then. Returns its octets. */
  write(frames: AsyncIterable<Frame>): Promise<number>;
}>;

/** Changes with the format: another one is read as damaged. */
const HEAD = Buffer.from('callahead cache 1\n');
/** Length of the payload and checksum over both. */
const FRAME_HEAD = 8;
/** A million answers are some 200 MB. */
const MOST_OCTETS = 1024 ** 3;

/** `open` as that of node:fs/promises. */
export function createCacheFile(path: string, open: typeof openFile = openFile): CacheFile {
  const draft = `${path}.new`;

  async function read(): Promise<ReadCache> {
    try {
      const { size } = await stat(path);
      if (size > MOST_OCTETS) return { kind: 'damaged', detail: `it has ${size} octets, more than ${MOST_OCTETS}` };
      return decodeCache(await readFile(path));
    } catch (error) {
      if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return { kind: 'absent' };
      return { kind: 'damaged', detail: error instanceof Error ? error.message : String(error) };
    }
  }

  async function write(frames: AsyncIterable<Frame>): Promise<number> {
    try {
      await rm(draft, { force: true });
      // Recipients are nobody else's business.
      const file = await open(draft, 'wx', 0o600);
      const octets = await fill(file, frames).finally(() => file.close());
      await rename(draft, path);
      await syncFolder(path);
      return octets;
    } catch (error) {
      await rm(draft, { force: true });
      throw error;
    }
  }

  return { read, write };
}

async function fill(file: FileHandle, frames: AsyncIterable<Frame>): Promise<number> {
  let octets = 0;
  let count = 0;
  const put = async (buffer: Uint8Array): Promise<void> => {
    octets += buffer.length;
    if (octets > MOST_OCTETS) throw new Error(`the cache takes more than ${MOST_OCTETS} octets`);
    await file.writeFile(buffer);
  };
  await put(HEAD);
  for await (const frame of frames) {
    await put(encodeFrame(frame));
    count++;
  }
  await put(encodeEnd(count));
  await file.sync();
  return octets;
}

/** The new name is on the disk only when its folder is. */
async function syncFolder(path: string): Promise<void> {
  const folder = await openFile(dirname(path), 'r');
  await folder.sync().finally(() => folder.close());
}

/** All frames in their order, or why none can be believed. Pure. */
export function decodeCache(octets: Buffer): Exclude<ReadCache, { kind: 'absent' }> {
  if (!octets.subarray(0, HEAD.length).equals(HEAD)) return damaged('it does not begin as a cache of this version');
  const frames: Frame[] = [];
  let at = HEAD.length;
  while (at + FRAME_HEAD <= octets.length) {
    const length = octets.readUInt32BE(at);
    const payload = octets.subarray(at + FRAME_HEAD, at + FRAME_HEAD + length);
    if (payload.length < length || length < 4) return damaged(`it breaks off at octet ${at}`);
    if (octets.readUInt32BE(at + 4) !== checksum(payload)) return damaged(`its checksum at octet ${at} is wrong`);
    at += FRAME_HEAD + length;
    if (length === 4) {
      const isWhole = at === octets.length && payload.readUInt32BE() === frames.length;
      return isWhole ? { kind: 'read', frames } : damaged('its end does not fit');
    }
    const split = 4 + payload.readUInt32BE();
    frames.push({ destination: payload.toString('utf8', 4, split), answers: payload.subarray(split) });
  }
  return damaged('it has no end');
}

function damaged(detail: string): Extract<ReadCache, { kind: 'damaged' }> {
  return { kind: 'damaged', detail };
}

function encodeFrame({ destination, answers }: Frame): Buffer {
  const name = Buffer.from(destination);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(name.length);
  return framed(Buffer.concat([length, name, answers]));
}

function encodeEnd(count: number): Buffer {
  const payload = Buffer.alloc(4);
  payload.writeUInt32BE(count);
  return framed(payload);
}

export function encodeCache(frames: readonly Frame[]): Buffer {
  return Buffer.concat([HEAD, ...frames.map(encodeFrame), encodeEnd(frames.length)]);
}

export function frameOf(answers: SavedAnswers): Frame {
  return { destination: answers.destination, answers: packAnswers(answers) };
}

function framed(payload: Buffer): Buffer {
  const head = Buffer.alloc(FRAME_HEAD);
  head.writeUInt32BE(payload.length);
  head.writeUInt32BE(checksum(payload), 4);
  return Buffer.concat([head, payload]);
}

/** Over the length too: a wrong one would lead to another place. */
function checksum(payload: Uint8Array): number {
  return crc32(payload, payload.length);
}
