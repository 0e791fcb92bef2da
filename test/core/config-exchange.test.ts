import { readFileSync } from 'node:fs';
import test from 'ava';
import { createCertificate } from '../support/certificates.ts';
import { problemsWith, smallest } from '../support/configuration.ts';

const page = readFileSync(new URL('../../docs/exchange.md', import.meta.url), 'utf8');
const { cert, key } = createCertificate({ names: ['mx1.gateway.example'] });
const files = { 'tls/corp-ca.pem': cert, 'tls/gateway.pem': cert, 'tls/gateway-key.pem': key };

for (const [, block = '', name = ''] of page.matchAll(/^```yaml\n(callAheadProfiles:\n {2}([\w-]+):\n.*?)^```/gms)) {
  test(`the profile ${name} of the page about Exchange can be used`, (t) => {
    const file = smallest
      .replace('callAheadProfile: corp', `callAheadProfile: ${name}`)
      .replace(/^callAheadProfiles:.*?(?=^recipientAccess:)/ms, () => block);
    t.deepEqual(
      problemsWith(files, file).filter((problem) => !problem.includes('warning: ')),
      [],
    );
    t.true(file.includes('protection') || file.includes(':2525'));
  });
}
