/** The token, for as long as the tab is open. */
const KEY = 'callahead.token';

export type TokenKeeper = Readonly<{ get(): string | null; set(token: string): void; forget(): void }>;

/** A token in the fragment (`/#token=…`), which no browser sends anywhere, is taken and wiped out of the address bar. */
export function createTokenKeeper({ sessionStorage, location, history }: Window): TokenKeeper {
  const [, given] = /^#token=(.+)$/.exec(location.hash) ?? [];
  if (given !== undefined) {
    sessionStorage.setItem(KEY, decoded(given));
    history.replaceState(null, '', location.pathname);
  }
  return {
    get: () => sessionStorage.getItem(KEY),
    set: (token) => sessionStorage.setItem(KEY, token),
    forget: () => sessionStorage.removeItem(KEY),
  };
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
