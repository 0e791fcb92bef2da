/** The engine's own thread, which dies as the channel `doom` tells it: by an exception, by its end, or in an endless loop. */
export { work } from '../../packages/workers/src/thread.ts';

const doom = new BroadcastChannel('doom');
doom.onmessage = ({ data }) => {
  if (data === 'exit') process.exit(1);
  if (data === 'throw') throw new Error('thrown by the bench');
  for (;;);
};
// It must not keep a thread alive that is done.
doom.unref();
