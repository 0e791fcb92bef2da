/** Which view the address bar asks for: `#/explain?recipient=ann@example.com`. */
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
