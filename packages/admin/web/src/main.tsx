/** The page's beginning: what is of the browser is given to the parts here, and nowhere else. */
import { render } from 'preact';
import { App } from './app.tsx';
import { createLive } from './live.ts';
import { placeOf } from './place.ts';
import { createApi } from './request.ts';
import { createScheme } from './scheme.tsx';
import { createStore } from './store.ts';
import { createTokenKeeper } from './token.ts';

const root = document.getElementById('console');
if (root === null) throw new Error('index.html has no #console');

const token = createTokenKeeper(window);
const places = createStore(placeOf(window.location.hash));
window.addEventListener('hashchange', () => places.set(placeOf(window.location.hash)));
const scheme = createScheme(window);
const api = createApi({
  fetch: window.fetch.bind(window),
  token: token.get,
  // A question that is turned away is as good as the stream at finding out.
  locked: () => queueMicrotask(() => live.get().link.kind === 'live' && live.retry()),
});
const live = createLive({
  api,
  now: Date.now,
  random: Math.random,
  after(ms, action) {
    const timer = setTimeout(action, ms);
    return () => clearTimeout(timer);
  },
});
window.addEventListener('online', () => live.retry());
render(<App {...{ api, live, places, scheme, token }} />, root);
