/** The frame around the views: where one is, how the gateway is, and how the page stands with it. */
import { useEffect, useRef } from 'preact/hooks';
import { CacheView } from './cache.tsx';
import { ConfigurationView } from './configuration.tsx';
import { ExplainView } from './explain.tsx';
import { Icon, Logo } from './icons.tsx';
import { LinkNote, StateBadge } from './link.tsx';
import type { Live, LiveStore } from './live.ts';
import { Overview } from './overview.tsx';
import { hashOf, type Place, VIEWS, type View } from './place.ts';
import { RecipientsView } from './recipients.tsx';
import type { Api } from './request.ts';
import { SchemeButton, SchemeContext, type SchemeStore } from './scheme.tsx';
import { SignIn } from './sign-in.tsx';
import { type Store, useStore } from './store.ts';
import type { TokenKeeper } from './token.ts';

export type AppProps = Readonly<{
  api: Api;
  live: LiveStore;
  places: Pick<Store<Place>, 'get' | 'watch'>;
  scheme: SchemeStore;
  token: TokenKeeper;
}>;

const TITLES: Readonly<Record<View, string>> = {
  overview: 'Overview',
  recipients: 'Recipients',
  explain: 'Explain',
  cache: 'Cache',
  configuration: 'Configuration',
};

export function App({ api, live, places, scheme, token }: AppProps) {
  const now = useStore(live);
  const place = useStore(places);
  const isLocked = now.link.kind === 'locked';
  const heading = useFocusOnArrival(place.view, isLocked);

  function signIn(given: string): void {
    token.set(given);
    live.retry();
  }

  function signOut(): void {
    token.forget();
    live.retry();
  }

  useEffect(() => {
    const host = now.status === null ? '' : ` – ${now.status.hostname}`;
    document.title = `${TITLES[place.view]}${host} – callahead`;
  }, [place.view, now.status?.hostname]);

  return (
    <SchemeContext.Provider value={scheme}>
      <button type="button" class="skip" onClick={() => heading.current?.focus()}>
        Skip to the content
      </button>
      <TopBar live={now} signOut={token.get() === null || isLocked ? null : signOut} />
      {isLocked ? null : <Navigation view={place.view} />}
      <main id="main">
        <h1 ref={heading} tabIndex={-1}>
          {isLocked ? 'Sign in' : TITLES[place.view]}
        </h1>
        <LinkNote link={now.link} hasData={now.status !== null} retry={live.retry} />
        {isLocked ? (
          <SignIn wasWrong={token.get() !== null} onToken={signIn} />
        ) : (
          <ViewOf place={place} api={api} live={live} now={now} />
        )}
      </main>
    </SchemeContext.Provider>
  );
}

function ViewOf({ place, api, live, now }: Readonly<{ place: Place; api: Api; live: LiveStore; now: Live }>) {
  const listeners = now.status?.listeners.map(({ name }) => name) ?? [];
  switch (place.view) {
    case 'overview':
      return <Overview live={now} />;
    case 'recipients':
      return <RecipientsView live={now} query={place.query} refill={live.refill} />;
    case 'explain':
      return <ExplainView key={place.query.toString()} api={api} listeners={listeners} query={place.query} />;
    case 'cache':
      return (
        <CacheView api={api} query={place.query} servers={now.status?.servers.map(({ server }) => server) ?? []} />
      );
    case 'configuration':
      return <ConfigurationView api={api} isLive={now.link.kind === 'live'} />;
  }
}

function TopBar({ live: { link, status }, signOut }: Readonly<{ live: Live; signOut: (() => void) | null }>) {
  return (
    <header class="top">
      <a class="brand" href={hashOf('overview')} aria-label="callahead, overview">
        <Logo />
        <span class="brand-name">callahead</span>
      </a>
      <p class="host">{status?.hostname ?? ''}</p>
      <StateBadge link={link} state={status?.state ?? null} />
      <SchemeButton />
      {signOut === null ? null : (
        <button
          type="button"
          class="button quiet"
          onClick={signOut}
          title="Forget the token"
          aria-label="Forget the token"
        >
          <Icon name="lock" />
        </button>
      )}
    </header>
  );
}

function Navigation({ view }: Readonly<{ view: View }>) {
  return (
    <nav class="views" aria-label="Views">
      <ul>
        {VIEWS.map((one) => (
          <li key={one}>
            <a href={hashOf(one)} {...(one === view ? { 'aria-current': 'page' as const } : {})}>
              <Icon name={one} size={20} />
              <span>{TITLES[one]}</span>
            </a>
          </li>
        ))}
      </ul>
    </nav>
  );
}

/** Who goes to another view by keyboard or listens to it begins at its heading, and so does who has signed in; at first the page has the focus. */
function useFocusOnArrival(view: View, isLocked: boolean) {
  const heading = useRef<HTMLHeadingElement>(null);
  const before = useRef({ view, isLocked });
  useEffect(() => {
    if ((before.current.view !== view || before.current.isLocked) && !isLocked) {
      window.scrollTo(0, 0);
      heading.current?.focus({ preventScroll: true });
    }
    before.current = { view, isLocked };
  }, [view, isLocked]);
  return heading;
}
