/** `npm run build`: makes dist of every package. */
import { exitWith, install } from './install.mjs';
import { build } from './packages.mjs';

exitWith(async () => {
  install();
  build();
  return 0;
});
