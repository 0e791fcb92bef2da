import { sameSettings } from '@callahead/core';

/** Something that several hold at once. Whoever borrowed it gives it back once, and does not use it any more. */
export type Borrowed<Thing> = Readonly<{ thing: Thing; giveBack(): Promise<void> }>;

export type Shared<Settings, Thing> = Readonly<{ borrow(settings: Settings): Borrowed<Thing> }>;

/** One thing for equal settings, opened for the first who wants it and closed by the last who gives it back. */
export function createShared<Settings, Thing>(
  open: (settings: Settings) => Thing,
  close: (thing: Thing) => Promise<void>,
): Shared<Settings, Thing> {
  const opened = new Set<{ readonly settings: Settings; readonly thing: Thing; holders: number }>();

  return {
    borrow(settings) {
      const known = [...opened].find((one) => sameSettings(one.settings, settings));
      const held = known ?? { settings, thing: open(settings), holders: 0 };
      opened.add(held);
      held.holders++;
      return {
        thing: held.thing,
        async giveBack() {
          held.holders--;
          if (held.holders > 0) return;
          opened.delete(held);
          await close(held.thing);
        },
      };
    },
  };
}
