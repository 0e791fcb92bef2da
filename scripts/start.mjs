/** `npm start`: installs what is needed and runs the gateway of examples/quickstart. */
import { exitWith, install, NODE, run } from './install.mjs';

exitWith(async () => {
  install();
  return run(NODE, ['examples/quickstart/run.ts', ...process.argv.slice(2)]);
});
