/** How the page stands with its gateway, in a word above and in a sentence where it matters. */
import { useEffect, useState } from 'preact/hooks';
import type { Link } from './follower.ts';
import { Icon, type IconName } from './icons.tsx';
import { Badge } from './parts.tsx';

type Said = Readonly<{ tone: string; icon: IconName; word: string }>;

export function StateBadge({ link, state }: Readonly<{ link: Link; state: string | null }>) {
  const { tone, icon, word } = saidOf(link, state);
  return (
    <div class="state" role="status" aria-label="Gateway">
      <Badge tone={tone} icon={icon}>
        {word}
      </Badge>
    </div>
  );
}

function saidOf(link: Link, state: string | null): Said {
  switch (link.kind) {
    case 'connecting':
      return { tone: 'unchecked', icon: 'temporary', word: 'connecting' };
    case 'lost':
      return { tone: 'refused', icon: 'failed', word: 'disconnected' };
    case 'locked':
      return { tone: 'unchecked', icon: 'lock', word: 'locked' };
    case 'live':
      if (state === 'overloaded') return { tone: 'failed', icon: 'failed', word: 'overloaded' };
      if (state === 'stopping') return { tone: 'temporary', icon: 'temporary', word: 'stopping' };
      return { tone: 'valid', icon: 'valid', word: 'live' };
  }
}

export function LinkNote({ link, hasData, retry }: Readonly<{ link: Link; hasData: boolean; retry: () => void }>) {
  if (link.kind !== 'lost') return null;
  return (
    <div class="note" role="alert">
      <Icon name="failed" />
      <p>
        <b>Disconnected:</b> {link.why}. {hasData ? 'What is shown is what was last known. ' : ''}
        <Countdown untilMs={link.againAtMs} />
      </p>
      <button type="button" class="button" onClick={retry}>
        Try now
      </button>
    </div>
  );
}

/** Not told aloud: a second that passes is no news. */
function Countdown({ untilMs }: Readonly<{ untilMs: number }>) {
  const secondsLeft = (): number => Math.max(0, Math.ceil((untilMs - Date.now()) / 1_000));
  const [left, setLeft] = useState(secondsLeft);
  useEffect(() => {
    setLeft(secondsLeft());
    const timer = setInterval(() => setLeft(secondsLeft()), 500);
    return () => clearInterval(timer);
  }, [untilMs]);
  return <span aria-hidden="true">Next try in {left} s.</span>;
}
