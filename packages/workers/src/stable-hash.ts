/** FNV-1a over the text with the case bit set: the same in every process, and for spellings that differ in case. 0..2^32-1. */
export function stableHash(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ (text.charCodeAt(i) | 0x20), 0x01000193);
  return hash >>> 0;
}
