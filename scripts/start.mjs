/** `npm start`: installs what is needed, builds the web page and runs the gateway of examples/quickstart. */
import { exitWith, install, NODE, run } from './install.mjs';
import { buildPage } from './page.mjs';

exitWith(async () => {
  install();
  buildPage();
  return run(NODE, ['examples/quickstart/run.ts', ...process.argv.slice(2)]);
});
