/** `npm run bench -- rcpt --profile`: where the gateway spends its CPU, case by case. */
import { mkdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startGateway } from '../peers/gateway.ts';
import { load, startProgram } from './children.ts';
import { describeProfiles } from './profile.ts';
import { figure } from './statistics.ts';

type Case = Readonly<{ name: string; recipients: number; pipelined: boolean; fresh: boolean }>;

const CASES: readonly Case[] = [
  { name: 'cached, 100 a session', recipients: 100, pipelined: true, fresh: false },
  { name: 'never seen, 100 a session', recipients: 100, pipelined: true, fresh: true },
  { name: 'cached, 5 a session', recipients: 5, pipelined: true, fresh: false },
];

/** Profiles the cases whose names contain one of `only`; all where it is empty. */
export async function profileGateway(seconds: number, only: readonly string[]): Promise<void> {
  const sink = await startProgram('sink');
  const wanted = CASES.filter(({ name }) => only.length === 0 || only.some((part) => name.includes(part)));
  for (const each of wanted) process.stdout.write(await profileCase(each, sink.port, seconds));
  await sink.stop();
}

async function profileCase(one: Case, sinkPort: number, seconds: number): Promise<string> {
  const { name, recipients, pipelined, fresh } = one;
  const folder = join(tmpdir(), 'callahead-profiles', `${name.replace(/\W+/g, '-')}-${Date.now()}`);
  mkdirSync(folder, { recursive: true });
  const gateway = await startGateway({ sinkPort, nodeOptions: ['--cpu-prof', `--cpu-prof-dir=${folder}`] });
  const options = { port: gateway.port, recipients, pipelined, sessions: recipients === 100 ? 200 : 2_000 };
  await load({ ...options, seconds: 2 });
  const fromUs = nowUs();
  const result = await load({ ...options, seconds, ...(fresh ? { prefix: 'new', distinct: null } : {}) });
  const toUs = nowUs();
  await gateway.stop();
  const rate = figure(result.accepted / result.seconds);
  const profiles = describeProfiles(folder, { fromUs, toUs }, result.answered);
  return `\n## ${name}: ${rate} RCPT/s while it was profiled\n\n${profiles}\n`;
}

function nowUs(): number {
  return Number(process.hrtime.bigint() / 1_000n);
}
