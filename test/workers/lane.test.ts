import { packToMain, type ToMain, type ToWorker, unpackToWorker, type Verdict } from '@callahead/core';
import test from 'ava';
import { createLane, type Notice, type Question, type Subject } from '../../packages/workers/src/lane.ts';
import { routeTo } from '../support/routes.ts';

const VALID: Verdict = { kind: 'valid', source: 'server', server: '127.0.0.1:25' };

function subject(number: number, version = 0): Subject {
  return { number, version, route: routeTo([25 + number]) };
}

function item(recipient: string, recorder: Question['recorder'] = null): Question {
  return { recipient, deadlineMs: 1_000, recorder, fresh: false };
}

/** The far end of a lane: what arrives, packet by packet. */
function fakePort() {
  const packets: (readonly ToWorker[])[] = [];
  let receive = (_packet: Uint8Array): void => {};
  let open = true;
  return {
    packets,
    isOpen: () => open,
    answer: (...messages: ToMain[]) => receive(packToMain(messages)),
    postMessage: (packet: Uint8Array) => packets.push(unpackToWorker(packet)),
    on(_event: 'message', handler: (packet: Uint8Array) => void) {
      receive = handler;
    },
    close() {
      open = false;
    },
  };
}

function setUp() {
  const turns: (() => void)[] = [];
  const verdicts: string[] = [];
  const notices: Notice[] = [];
  const lane = createLane<Question>({
    later: (run) => turns.push(run),
    onVerdict: ({ recipient }, verdict) => verdicts.push(`${recipient} ${verdict.kind}`),
    onNotice: (notice) => notices.push(notice),
  });
  const endTurn = (): void => {
    for (const run of turns.splice(0)) run();
  };
  return { lane, verdicts, notices, endTurn };
}

function kinds(packet: readonly ToWorker[] | undefined): string[] {
  return (packet ?? []).map((message) => message.kind);
}

test('very many asks leave in several packets, and each destination is told once', (t) => {
  const { lane, endTurn } = setUp();
  const port = fakePort();
  lane.open(port);
  for (let i = 0; i < 2_500; i++) lane.ask(subject(1), item(`user${i}@x`));
  lane.ask(subject(2), item('last@x'));
  endTurn();
  t.deepEqual(port.packets.map(kinds), [['destination', 'asks'], ['asks'], ['destination', 'asks']]);
  const asked = port.packets.flat().flatMap((message) => (message.kind === 'asks' ? message.recipients : []));
  t.is(new Set(asked).size, 2_501);
});

test('the asks of a turn leave in one packet, each destination ahead of its first ask', (t) => {
  const { lane, endTurn } = setUp();
  const port = fakePort();
  lane.open(port);
  const [corp, other] = [subject(1), subject(2)];
  lane.ask(corp, item('a@x'));
  lane.ask(other, item('b@x'));
  lane.ask(corp, item('c@x'));
  t.deepEqual(port.packets, []);
  endTurn();
  t.is(port.packets.length, 1);
  t.deepEqual(kinds(port.packets[0]), ['destination', 'destination', 'asks']);
  t.like(port.packets[0]?.[2], { destinations: [1, 2, 1], recipients: ['a@x', 'b@x', 'c@x'] });
  lane.ask(corp, item('d@x'));
  endTurn();
  t.deepEqual(kinds(port.packets[1]), ['asks']);
});

test('a newer route of a destination precedes the next ask', (t) => {
  const { lane, endTurn } = setUp();
  const port = fakePort();
  lane.open(port);
  lane.ask(subject(1, 0), item('a@x'));
  endTurn();
  lane.ask(subject(1, 1), item('b@x'));
  endTurn();
  t.deepEqual(kinds(port.packets[1]), ['destination', 'asks']);
});

test('a system message goes ahead of the asks of its turn', (t) => {
  const { lane, endTurn } = setUp();
  const port = fakePort();
  lane.open(port);
  lane.ask(subject(1), item('a@x'));
  lane.send({ kind: 'lend', loan: 'corp 127.0.0.1:25' });
  endTurn();
  t.deepEqual(port.packets.map(kinds), [['lend'], ['destination', 'asks']]);
});

test('what is learnt about a destination is told after the destination', (t) => {
  const { lane } = setUp();
  const port = fakePort();
  lane.open(port);
  lane.tell(subject(1), { kind: 'learn', destination: 1, recipient: 'a@x', verdict: VALID });
  t.deepEqual(port.packets.map(kinds), [['destination', 'learn']]);
});

test('a verdict reaches its ask, and only the first one does', (t) => {
  const { lane, verdicts, endTurn } = setUp();
  const port = fakePort();
  lane.open(port);
  lane.ask(subject(1), item('a@x'));
  lane.ask(subject(1), item('b@x'));
  endTurn();
  port.answer({ kind: 'verdicts', ids: [1, 0, 1, 99], verdicts: [VALID, VALID, VALID, VALID] });
  t.deepEqual(verdicts, ['b@x valid', 'a@x valid']);
});

test('only traced asks have steps', (t) => {
  const { lane, endTurn } = setUp();
  const port = fakePort();
  const stages: string[] = [];
  lane.open(port);
  lane.ask(subject(1), item('a@x'));
  lane.ask(
    subject(1),
    item('b@x', (step) => stages.push(step.stage)),
  );
  endTurn();
  t.like(port.packets[0]?.[1], { traced: [1] });
  port.answer({ kind: 'step', id: 1, step: { stage: 'cache', atMs: 1, facts: {} } });
  t.deepEqual(stages, ['cache']);
});

test('the thread is told which asks are fresh', (t) => {
  const { lane, endTurn } = setUp();
  const port = fakePort();
  lane.open(port);
  lane.ask(subject(1), item('a@x'));
  lane.ask(subject(1), { ...item('b@x'), fresh: true });
  endTurn();
  t.like(port.packets[0]?.[1], { ids: [0, 1], fresh: [1] });
});

test('asks wait for the thread, which learns of their destinations', (t) => {
  const { lane, endTurn } = setUp();
  lane.ask(subject(1), item('a@x'));
  lane.ask(subject(1), item('b@x'));
  endTurn();
  const port = fakePort();
  lane.open(port);
  t.deepEqual(port.packets.map(kinds), [['destination', 'asks']]);
});

test('a dead thread loses what it was told, not what it was not', (t) => {
  const { lane, verdicts, endTurn } = setUp();
  const dead = fakePort();
  lane.open(dead);
  lane.ask(subject(1), item('told@x'));
  endTurn();
  lane.ask(subject(1), item('untold@x'));
  t.deepEqual(
    lane.lose().map(({ recipient }) => recipient),
    ['told@x'],
  );
  t.false(dead.isOpen());
  t.false(lane.send({ kind: 'recall', loan: 'corp 127.0.0.1:25' }));

  const next = fakePort();
  lane.open(next);
  t.deepEqual(kinds(next.packets[0]), ['destination', 'asks']);
  t.like(next.packets[0]?.[1], { recipients: ['untold@x'] });
  dead.answer({ kind: 'verdicts', ids: [1], verdicts: [VALID] });
  t.deepEqual(verdicts, []);
});

test('forgetting is said only to a thread that knows the destination', (t) => {
  const { lane } = setUp();
  const port = fakePort();
  lane.open(port);
  lane.forget(1);
  lane.tell(subject(1), { kind: 'learn', destination: 1, recipient: 'a@x', verdict: VALID });
  lane.forget(1);
  lane.forget(1);
  t.deepEqual(port.packets.map(kinds), [['destination', 'learn'], ['forget']]);
});

test('whatever is not about one ask is passed on', (t) => {
  const { lane, notices } = setUp();
  const port = fakePort();
  lane.open(port);
  port.answer(
    { kind: 'borrow', loan: 'corp 127.0.0.1:25' },
    { kind: 'counts', destinations: [], heapBytes: 1, lagMs: 0 },
    { kind: 'drained' },
  );
  t.deepEqual(
    notices.map(({ kind }) => kind),
    ['borrow', 'counts', 'drained'],
  );
});

test('what a thread has counted is a notice', (t) => {
  const { lane, notices } = setUp();
  const port = fakePort();
  lane.open(port);
  port.answer({ kind: 'counts', destinations: [], heapBytes: 1, lagMs: 2 }, { kind: 'beat' });
  t.deepEqual(notices, [{ kind: 'counts', destinations: [], heapBytes: 1, lagMs: 2 }, { kind: 'beat' }]);
});
