/** Light or dark: as the system has it, or as chosen here. */
import { createContext } from 'preact';
import { useContext } from 'preact/hooks';
import { Icon } from './icons.tsx';
import { createStore, type Store, useStore } from './store.ts';

const KEY = 'callahead.scheme';
const WISHES = ['system', 'light', 'dark'] as const;
type Wish = (typeof WISHES)[number];

export type Scheme = Readonly<{ wish: Wish; shown: 'light' | 'dark' }>;
export type SchemeStore = Pick<Store<Scheme>, 'get' | 'watch'> & Readonly<{ choose(wish: Wish): void }>;

export function createScheme({ localStorage, document, matchMedia }: Window): SchemeStore {
  const system = matchMedia('(prefers-color-scheme: dark)');
  const wished = (): Wish => WISHES.find((wish) => wish === localStorage.getItem(KEY)) ?? 'system';
  const schemeOf = (wish: Wish): Scheme => {
    const ofSystem = system.matches ? 'dark' : 'light';
    return { wish, shown: wish === 'system' ? ofSystem : wish };
  };
  const store = createStore(schemeOf(wished()));

  function show(wish: Wish): void {
    const scheme = schemeOf(wish);
    document.documentElement.dataset.scheme = scheme.shown;
    store.set(scheme);
  }

  system.addEventListener('change', () => show(store.get().wish));
  show(wished());
  return {
    get: store.get,
    watch: store.watch,
    choose(wish) {
      localStorage.setItem(KEY, wish);
      show(wish);
    },
  };
}

export const SchemeContext = createContext<SchemeStore | null>(null);

export function useScheme(): Scheme & Pick<SchemeStore, 'choose'> {
  const store = useContext(SchemeContext);
  if (store === null) throw new Error('there is no scheme: SchemeContext has no provider');
  return { ...useStore(store), choose: store.choose };
}

/** One button that goes round. */
export function SchemeButton() {
  const { wish, choose } = useScheme();
  const next = WISHES[(WISHES.indexOf(wish) + 1) % WISHES.length] ?? 'system';
  return (
    <button
      type="button"
      class="button quiet"
      onClick={() => choose(next)}
      title={`Colours: ${wish}. Change to ${next}.`}
      aria-label={`Colours: ${wish}. Change to ${next}`}
    >
      <Icon name={wish} />
    </button>
  );
}
