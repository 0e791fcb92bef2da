/** `npm run reference`: writes docs/configuration.md from the schema. A test holds the page to the code. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { configurationReference } from '@callahead/core/config';

const docs = new URL('../docs/', import.meta.url);
mkdirSync(docs, { recursive: true });
writeFileSync(new URL('configuration.md', docs), configurationReference());
