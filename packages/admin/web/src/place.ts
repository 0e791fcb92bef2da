/** Which view the address bar asks for: `#/explain?recipient=ann@example.com`. */
import { createStore } from './store.ts';

export const VIEWS = ['overview', 'recipients', 'explain', 'cache', 'configuration'] as const;
export type View = (typeof VIEWS)[number];

export type Place = Readonly<{ view: View; query: URLSearchParams }>;

export function placeOf(hash: string): Place {
  const [path = '', query = ''] = hash.replace(/^#\/?/, '').split('?');
  const view = VIEWS.find((one) => one === path) ?? 'overview';
  return { view, query: new URLSearchParams(query) };
}

export function hashOf(view: View, query: Readonly<Record<string, string>> = {}): string {
  const filled = Object.entries(query).filter(([, value]) => value !== '');
  const text = new URLSearchParams(filled).toString();
  return text === '' ? `#/${view}` : `#/${view}?${text}`;
}

/** Follows the address bar. */
export function createPlaces(window: Window) {
  const store = createStore(placeOf(window.location.hash));
  window.addEventListener('hashchange', () => store.set(placeOf(window.location.hash)));
  return store;
}
