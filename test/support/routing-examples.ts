/** The worked examples of docs/routing.md: a configuration, a command, and what `callahead explain` says, from servers that answer here. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { explain } from '../../packages/cli/src/explain.ts';
import { explanationText, unpainted } from '../../packages/cli/src/explanation-text.ts';
import { openHalves } from '../../packages/cli/src/halves.ts';
import { load } from './configuration.ts';
import { freePort, temporaryFolder } from './debian.ts';
import { type FakeEntry, startFakeDirectory } from './fake-directory.ts';
import { startFakeServer } from './fake-server.ts';

/** A mail server by the name and port that the page has, at an address of 192.0.2.0/24. `users` null: nobody listens there. */
type ExampleServer = Readonly<{ at: string; last: number; users: readonly string[] | null }>;

type Example = Readonly<{
  title: string;
  words: string;
  configuration: string;
  address: string;
  servers: readonly ExampleServer[];
  entries: readonly FakeEntry[];
}>;

/** Where the section begins; it is the page's last. */
export const EXAMPLES_HEADING = `
## Worked examples

What follows is written by \`npm run reference\`, which runs \`callahead explain\` on these files; a test holds it to the code. Times are left out.

`;

const LISTENER = `hostname: mx1.gateway.example
listeners:
  inbound:
    type: public
    listen: ["192.0.2.1:25"]
    callAheadProfile: corp
    recipientAccess: inbound
    postmaster: postmaster@example.com
`;

const ACCESS = `recipientAccess:
  inbound:
    - {match: [example.com, .example.com], action: accept}
`;

const DIRECTORY = 'directory.internal:389';

const EXAMPLES: readonly Example[] = [
  {
    title: 'Servers of a static profile',
    words:
      'The profile names the servers, so neither a route nor the MX of the domain is looked for. They are in /etc/hosts here. Mail is delivered to them too.',
    configuration: `${LISTENER}callAheadProfiles:
  corp:
    serverType: static
    servers: "ex1.corp.example:2525, ex2.corp.example:2525"
${ACCESS}`,
    address: 'ann@example.com',
    servers: [
      { at: 'ex1.corp.example:2525', last: 11, users: ['ann@example.com'] },
      { at: 'ex2.corp.example:2525', last: 12, users: ['ann@example.com'] },
    ],
    entries: [],
  },
  {
    title: 'A domain with routes in an order of priority',
    words:
      'The sub-domain has the route of `.example.com`. Nobody listens at its best host, so the next one is asked. What that accepts is used, but not kept: a backup accepts everybody.',
    configuration: `${LISTENER}callAheadProfiles:
  corp:
    serverType: delivery-host
smtpRoutes:
  .example.com: ["mail1.internal:2525 /pri=10", "mail2.internal:2526 /pri=20"]
  ALL: "elsewhere.internal"
${ACCESS}`,
    address: 'bob@sales.example.com',
    servers: [
      { at: 'mail1.internal:2525', last: 21, users: null },
      { at: 'mail2.internal:2526', last: 22, users: ['bob@sales.example.com'] },
    ],
    entries: [],
  },
  {
    title: 'A directory that names the host to ask, with its port',
    words:
      'The directory names one host to ask, with a port, and another one for the mail. The route of the first leads to a relay, and the port stays that of the directory. The server there does not know the recipient, so its message is refused; the text is the gateway’s own.',
    configuration: `${LISTENER}    ldapRouting: people
callAheadProfiles:
  corp:
    serverType: delivery-host
ldap:
  servers:
    directory: {urls: ["ldap://${DIRECTORY}"]}
  routing:
    people:
      server: directory
      base: "dc=example"
      filter: "(mail={a})"
      mailHostAttribute: mailHost
      callAheadAttribute: callAhead
smtpRoutes:
  box.internal: "relay.internal:2525"
${ACCESS}`,
    address: 'eve@example.com',
    servers: [
      { at: 'relay.internal:2526', last: 31, users: [] },
      { at: 'box.internal:2526', last: 32, users: null },
      { at: 'store.internal:25', last: 33, users: null },
    ],
    entries: [
      { dn: 'cn=eve,dc=example', attributes: { callAhead: ['box.internal:2526'], mailHost: ['store.internal'] } },
    ],
  },
];

/** The section of the page. Times, references and the real ports and addresses are taken out. */
export async function routingExamples(): Promise<string> {
  const texts: string[] = [];
  for (const example of EXAMPLES) {
    const { title, words, configuration, address } = example;
    const output = await explained(example);
    texts.push(
      `### ${title}\n\n${words}\n\n\`\`\`yaml\n${configuration}\`\`\`\n\n\`\`\`\n$ callahead explain ${address} -c callahead.yaml\n${output}\`\`\`\n`,
    );
  }
  return texts.join('\n');
}

async function explained(example: Example): Promise<string> {
  const folder = await temporaryFolder('examples');
  const ports = await realPorts();
  const stops: (() => Promise<void>)[] = [folder.remove];
  try {
    for (const { at, last, users } of example.servers) {
      const [name = '', port = ''] = at.split(':');
      if (users === null) continue;
      const server = await startFakeServer({ users, name, host: `127.0.0.${last}`, port: ports.get(port) ?? 0 });
      stops.push(server.stop);
    }
    const entries = JSON.parse(toReal(JSON.stringify(example.entries), ports)) as readonly FakeEntry[];
    const directory = await startFakeDirectory({ entries });
    stops.push(directory.stop);
    const hostsFile = join(folder.path, 'hosts');
    await writeFile(hostsFile, example.servers.map(({ at, last }) => `127.0.0.${last} ${at.split(':')[0]}\n`).join(''));
    const text = example.configuration.replace(DIRECTORY, `127.0.0.1:${directory.port}`);
    return toPage(await run(toReal(text, ports), example.address, hostsFile), ports);
  } finally {
    for (const stop of stops.reverse()) await stop();
  }
}

async function run(configuration: string, address: string, hostsFile: string): Promise<string> {
  const { configuration: settings } = load(configuration);
  const quiet = { emit: () => {}, onFatal: () => {}, listenAddresses: () => [] };
  const halves = openHalves(settings, { ...quiet, threads: 1, hostsFile });
  try {
    const [listener] = settings.listeners;
    if (listener === undefined) throw new Error('an example has a listener');
    await halves.engine.up();
    return explanationText(await explain({ address, settings: listener, client: null, dry: false }, halves), unpainted);
  } finally {
    await halves.close(1_000);
  }
}

/** Servers of one port on the page have one port here, each at an address of its own. */
async function realPorts(): Promise<ReadonlyMap<string, number>> {
  return new Map([
    ['2525', await freePort()],
    ['2526', await freePort()],
  ]);
}

function toReal(text: string, ports: ReadonlyMap<string, number>): string {
  return [...ports].reduce((at, [page, real]) => at.replace(new RegExp(`:${page}\\b`, 'g'), `:${real}`), text);
}

function toPage(text: string, ports: ReadonlyMap<string, number>): string {
  const shown = [...ports].reduce((at, [page, real]) => at.replaceAll(`:${real}`, `:${page}`), text);
  return shown
    .replaceAll('127.0.0.', '192.0.2.')
    .replace(/^ *\d+\.\d ms/gm, '     … ms')
    .replace(/\([0-9a-z]{8}\)/g, '(k3v9x2ab)');
}
