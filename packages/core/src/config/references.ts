import { errorAt, type Fault } from './faults.ts';
import { either } from './fields.ts';
import { show } from './parsed.ts';
import { isDefined, isPlain, namesOf, type Plain } from './plain.ts';
import type { Path } from './positions.ts';
import { similar } from './similar.ts';

/** A reference to a name that `section` (`ldap.routing`: a section in another) does not define. What is no text was found wrong elsewhere. */
export function checkReference(root: Plain, section: string, path: Path, reference: unknown): readonly Fault[] {
  const [inner = '', ...outer] = section.split('.').reverse();
  const within = outer.reverse().reduce<unknown>((at, key) => (isPlain(at) ? at[key] : undefined), root);
  const names = isPlain(within) ? within : {};
  if (typeof reference !== 'string' || isDefined(names, inner, reference)) return [];
  const known = namesOf(names, inner);
  const meant = similar(reference, known);
  const some = known.length > 0 ? either(known) : `a name under ${section}, which defines none`;
  const expected = meant === null ? `expected ${some}` : `did you mean ${meant}?`;
  return [errorAt(path, `${show(reference)} is not defined under ${section}: ${expected}`)];
}
