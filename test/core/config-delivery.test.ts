import test from 'ava';
import { createAuthority, createCertificate } from '../support/certificates.ts';
import { load, problemsWith, smallest } from '../support/configuration.ts';

const authority = createAuthority();
const ours = createCertificate({ names: ['gateway.example'], issuer: authority });
const files = { 'ca.pem': authority.cert, 'cert.pem': ours.cert, 'key.pem': ours.key };

function deliveryOf(text: string) {
  return load(`${smallest}delivery: ${text}\n`, {}, files).configuration.delivery;
}

function problems(text: string): readonly string[] {
  return problemsWith(files, `${smallest}delivery: ${text}\n`);
}

test('mail is passed on over TLS where that can be had, to at most fifty connections a server', (t) => {
  const { delivery } = load(smallest).configuration;
  t.like(delivery, { maxConnectionsPerServer: 50, tls: { mode: 'optional', identity: null, servername: null } });
  t.deepEqual(problemsWith({}, smallest), [], 'nobody is warned of what nobody wrote');
});

test('TLS of the delivery is off, or as strict as that of a profile', (t) => {
  t.is(deliveryOf('{tls: {mode: off}}').tls, null);
  const strict = deliveryOf(
    '{tls: {mode: required, ca: ca.pem, cert: cert.pem, key: key.pem, servername: mx.example}}',
  );
  t.like(strict.tls, { mode: 'required', verify: true, ca: authority.cert, servername: 'mx.example' });
  t.is(strict.tls?.identity?.key.reveal(), ours.key);
});

test('what is wrong with the TLS of the delivery is said where it stands', (t) => {
  t.deepEqual(problems('{tls: {mode: required, cert: key.pem, key: key.pem}}'), [
    'callahead.yaml:15:40: delivery.tls.cert: "key.pem" holds no certificate: expected a PEM file of one',
  ]);
  t.deepEqual(problems('{tls: {mode: required}}'), [
    'callahead.yaml:15:17: warning: delivery.tls: TLS without a client certificate: expected cert and key, if the servers ask',
  ]);
  t.deepEqual(problems('{maxConnectionsPerServer: 0}'), [
    'callahead.yaml:15:37: delivery.maxConnectionsPerServer: 0 is too small: expected 1..10000',
  ]);
});
