/** `node scripts/pack.mjs FOLDER`: builds every package and puts its tarball into FOLDER, which exists. */
import { exitWith, install } from './install.mjs';
import { pack } from './packages.mjs';

exitWith(async () => {
  const folder = process.argv[2];
  if (folder === undefined) throw new Error('usage: node scripts/pack.mjs FOLDER');
  install();
  for (const tarball of pack(folder)) process.stdout.write(`${tarball}\n`);
  return 0;
});
