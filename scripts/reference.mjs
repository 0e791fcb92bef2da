/** `npm run reference`: writes docs/configuration.md from the schema, docs/metrics.md and docs/events.md from their tables, the worked examples of docs/routing.md, and the table of docs/relay.md. Tests hold the pages to the code. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { eventsReference, metricsReference } from '@callahead/core';
import { configurationReference } from '@callahead/core/config';
import { MATRIX_BEGINS, MATRIX_ENDS, matrixTable } from '../test/support/relay-matrix.ts';
import { EXAMPLES_HEADING, routingExamples } from '../test/support/routing-examples.ts';

const docs = new URL('../docs/', import.meta.url);
mkdirSync(docs, { recursive: true });
writeFileSync(new URL('configuration.md', docs), configurationReference());
writeFileSync(new URL('metrics.md', docs), metricsReference());
writeFileSync(new URL('events.md', docs), eventsReference());

const routing = new URL('routing.md', docs);
const [byHand = ''] = readFileSync(routing, 'utf8').split(EXAMPLES_HEADING);
writeFileSync(routing, `${byHand}${EXAMPLES_HEADING}${await routingExamples()}`);

const relay = new URL('relay.md', docs);
const page = readFileSync(relay, 'utf8');
const [before = ''] = page.split(MATRIX_BEGINS);
const [, after = ''] = page.split(MATRIX_ENDS);
writeFileSync(relay, `${before}${MATRIX_BEGINS}${matrixTable()}${MATRIX_ENDS}${after}`);
