import type { Destination } from './destinations.ts';

/**
 * Credits for asks (SPEC 8.4): one for each verdict that a thread owes. One destination holds a quarter at most, so that a dead one uses only
 * its own share; as many may wait as there are credits, again a quarter for each.
 */
export type Credits<Item> = {
  /** `granted`: ask now. `waiting`: `grant` is called later, unless it leaves before. `refused`: no room. */
  take(destination: Destination, item: Item): 'granted' | 'waiting' | 'refused';
  /** Waits no more. */
  leave(destination: Destination, item: Item): void;
  release(destination: Destination): void;
  /** All that wait, which wait no more. */
  dismiss(): Item[];
  held(): number;
  waiting(): number;
  /**
   * All credits are out: no new sessions (SPEC 8.4). Those who wait for room in the share of their own destination do not count, or two dead
   * destinations would close the door to all others.
   */
  full(): boolean;
};

export type CreditsOptions<Item> = Readonly<{ most: number; grant: (destination: Destination, item: Item) => void }>;

export function createCredits<Item>({ most, grant }: CreditsOptions<Item>): Credits<Item> {
  const share = Math.max(1, Math.floor(most / 4));
  const queues = new Map<Destination, Set<Item>>();
  /** Destinations with a queue and room in their share, served in turns. */
  const hungry = new Set<Destination>();
  let held = 0;
  let waiting = 0;

  function take(destination: Destination, item: Item): 'granted' | 'waiting' | 'refused' {
    const queue = queues.get(destination);
    if (queue === undefined && held < most && destination.asking < share) {
      hold(destination);
      return 'granted';
    }
    if (waiting >= most || (queue?.size ?? 0) >= share) return 'refused';
    waiting++;
    destination.waiting++;
    if (queue === undefined) queues.set(destination, new Set([item]));
    else queue.add(item);
    if (destination.asking < share) hungry.add(destination);
    return 'waiting';
  }

  function leave(destination: Destination, item: Item): void {
    const queue = queues.get(destination);
    if (queue?.delete(item) !== true) return;
    waiting--;
    destination.waiting--;
    if (queue.size > 0) return;
    queues.delete(destination);
    hungry.delete(destination);
  }

  function release(destination: Destination): void {
    held--;
    destination.asking--;
    if (queues.has(destination)) hungry.add(destination);
    while (held < most) {
      const [next] = hungry;
      if (next === undefined) return;
      serve(next);
    }
  }

  function serve(destination: Destination): void {
    hungry.delete(destination);
    const [item] = queues.get(destination) ?? [];
    if (item === undefined) return;
    leave(destination, item);
    hold(destination);
    if (queues.has(destination) && destination.asking < share) hungry.add(destination);
    grant(destination, item);
  }

  function hold(destination: Destination): void {
    held++;
    destination.asking++;
  }

  function dismiss(): Item[] {
    const items = [...queues.values()].flatMap((queue) => [...queue]);
    for (const destination of queues.keys()) destination.waiting = 0;
    queues.clear();
    hungry.clear();
    waiting = 0;
    return items;
  }

  return {
    take,
    leave,
    release,
    dismiss,
    held: () => held,
    waiting: () => waiting,
    full: () => held >= most,
  };
}
