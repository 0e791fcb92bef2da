import test from 'ava';
import { startBench } from '../support/fake-main.ts';

test('a known recipient is valid and an unknown one is unknown', async (t) => {
  const { main, server } = await startBench(t, { users: ['ann@corp.example'] });
  const [ann, bob] = await main.ask(['ann@corp.example', 'bob@corp.example']);
  t.deepEqual(ann, { kind: 'valid', source: 'server', server: `mx.example:${server.port}` });
  t.like(bob, { kind: 'unknown', reply: { code: 550, enhanced: '5.1.1', text: 'No such user' } });
});
