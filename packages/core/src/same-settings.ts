import { Sealed } from './secret.ts';

/** Are two settings the same to their depth, secrets included? Of plain data: lists, maps, objects and what has no depth. */
export function sameSettings(one: unknown, other: unknown): boolean {
  if (Object.is(one, other)) return true;
  if (typeof one !== 'object' || typeof other !== 'object' || one === null || other === null) return false;
  if (one instanceof Sealed) return other instanceof Sealed && one.reveal() === other.reveal();
  if (one instanceof Map) return other instanceof Map && sameSettings([...one], [...other]);
  if (one instanceof Set) return other instanceof Set && sameSettings([...one], [...other]);
  if (Array.isArray(one) !== Array.isArray(other)) return false;
  const keys = Object.keys(one);
  if (keys.length !== Object.keys(other).length) return false;
  return keys.every(
    (key) => Object.hasOwn(other, key) && sameSettings(one[key as keyof typeof one], other[key as keyof typeof other]),
  );
}
