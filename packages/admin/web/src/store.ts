/** A value that components may watch. */
import { useEffect, useState } from 'preact/hooks';

export type Store<T> = Readonly<{ get(): T; set(value: T): void; watch(told: (value: T) => void): () => void }>;

export function createStore<T>(first: T): Store<T> {
  let current = first;
  const watchers = new Set<(value: T) => void>();
  return {
    get: () => current,
    set(value) {
      current = value;
      for (const told of [...watchers]) told(value);
    },
    watch(told) {
      watchers.add(told);
      return () => void watchers.delete(told);
    },
  };
}

/** The value now; the component is drawn again when it is another. */
export function useStore<T>({ get, watch }: Pick<Store<T>, 'get' | 'watch'>): T {
  const [value, setValue] = useState<T>(get);
  useEffect(() => {
    // What was set between drawing and watching.
    setValue(() => get());
    return watch((next) => setValue(() => next));
  }, [get, watch]);
  return value;
}
