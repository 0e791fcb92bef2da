#!/usr/bin/env node
// The rest takes a second to load on a busy machine, in which a SIGHUP would end the process. Nothing of the file has been read that it could be meant for.
if (process.argv[2] === 'serve') process.on('SIGHUP', () => {});

await import('./program.ts');
