/** Mail folders that a real server delivers to and a test reads. */
import { watch } from 'node:fs';
import { chown, mkdir, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';

export type Maildirs = Readonly<{
  /** The messages that were delivered to a user so far, oldest first. */
  read(address: string): Promise<readonly string[]>;
  /** As `read`, once there are `count` of them; rejects when there are not within `timeoutMs`. */
  wait(address: string, count: number, timeoutMs?: number): Promise<readonly string[]>;
}>;

/** Makes a maildir for each user, `BASE/ADDRESS/`, that belongs to the user and group the server delivers as. */
export async function createMaildirs(
  base: string,
  users: readonly string[],
  uid: number,
  gid: number,
): Promise<Maildirs> {
  await mkdir(base, { recursive: true });
  await chown(base, uid, gid);
  for (const user of users) {
    for (const folder of ['', 'tmp', 'cur', 'new']) {
      const path = join(base, user, folder);
      await mkdir(path, { recursive: true });
      await chown(path, uid, gid);
    }
  }

  function folderOf(address: string): string {
    return join(base, address, 'new');
  }

  async function read(address: string): Promise<readonly string[]> {
    const names = (await readdir(folderOf(address))).sort();
    return Promise.all(names.map((name) => readFile(join(folderOf(address), name), 'utf8')));
  }

  async function wait(address: string, count: number, timeoutMs = 15_000): Promise<readonly string[]> {
    // The watcher starts before the first look, so no message can come between the two.
    const watcher = watch(folderOf(address));
    try {
      return await new Promise((resolve, reject) => {
        const timer = setTimeout(
          () => reject(new Error(`fewer than ${count} messages for ${address} within ${timeoutMs} ms`)),
          timeoutMs,
        );
        const look = (): void => {
          read(address).then((messages) => {
            if (messages.length < count) return;
            clearTimeout(timer);
            resolve(messages);
          }, reject);
        };
        watcher.on('change', look);
        look();
      });
    } finally {
      watcher.close();
    }
  }

  return { read, wait };
}
