import test from 'ava';
import { load, problemsWith, smallest } from '../support/configuration.ts';

const TOKEN = 'correct-horse-battery';

function problems(admin: string, files: Readonly<Record<string, string>> = {}): readonly string[] {
  return problemsWith(files, `${smallest}admin: ${admin}\n`);
}

test('without the section there is no HTTP API', (t) => {
  t.is(load(smallest).configuration.admin, null);
});

test('the token comes from a file, without its line end, and nothing shows it', (t) => {
  const text = `${smallest}admin: {listen: "127.0.0.1:8025", tokenFile: token}\n`;
  const { admin } = load(text, {}, { token: `${TOKEN}\n` }).configuration;
  t.deepEqual(admin?.listen, { host: '127.0.0.1', port: 8025 });
  t.is(admin?.token?.reveal(), TOKEN);
  t.false(JSON.stringify(admin).includes(TOKEN));
});

test('off loopback a token is required', (t) => {
  t.deepEqual(problems('{listen: "0.0.0.0:8025"}'), [
    'callahead.yaml:15:1: admin.tokenFile: missing: "0.0.0.0:8025" can be reached from elsewhere, expected a token, or an address like 127.0.0.1',
  ]);
  t.deepEqual(problems(`{listen: "0.0.0.0:8025", token: ${TOKEN}}`), []);
  t.deepEqual(problems('{listen: "[::1]:0"}'), []);
});

test('a token that is easily guessed is refused, and not repeated', (t) => {
  t.deepEqual(problems('{listen: "127.0.0.1:0", token: hunter2}'), [
    'callahead.yaml:15:39: admin.token: what is given is too short or has other characters: expected at least 16 visible ASCII characters',
  ]);
  t.deepEqual(problems('{listen: "127.0.0.1:0", tokenFile: token}', { token: 'hunter2' }), [
    'callahead.yaml:15:43: admin.tokenFile: what "token" holds is too short or has other characters: expected at least 16 visible ASCII characters',
  ]);
});

test('a token is given once, and its file is there', (t) => {
  t.deepEqual(problems(`{listen: "127.0.0.1:0", token: ${TOKEN}, tokenFile: token}`), [
    'callahead.yaml:15:39: admin.token: given twice: expected token or tokenFile',
  ]);
  t.regex(
    problems('{listen: "127.0.0.1:0", tokenFile: token}')[0] ?? '',
    /15:43: admin\.tokenFile: "token" cannot be read/,
  );
});

test('a socket that a listener has is refused', (t) => {
  t.deepEqual(problems('{listen: "127.0.0.1:2525"}'), [
    'callahead.yaml:15:17: admin.listen: "127.0.0.1:2525" is taken by listener inbound: expected another address or port',
  ]);
});
