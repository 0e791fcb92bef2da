/** `npm run reference`: writes docs/configuration.md from the schema, and the worked examples of docs/routing.md. Tests hold the pages to the code. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { configurationReference } from '@callahead/core/config';
import { EXAMPLES_HEADING, routingExamples } from '../test/support/routing-examples.ts';

const docs = new URL('../docs/', import.meta.url);
mkdirSync(docs, { recursive: true });
writeFileSync(new URL('configuration.md', docs), configurationReference());

const routing = new URL('routing.md', docs);
const [byHand = ''] = readFileSync(routing, 'utf8').split(EXAMPLES_HEADING);
writeFileSync(routing, `${byHand}${EXAMPLES_HEADING}${await routingExamples()}`);
