import { Command, CommanderError } from 'commander';
import { cacheFlushCommand, cacheShowCommand } from './commands/cache.ts';
import { checkCommand } from './commands/check.ts';
import { explainCommand } from './commands/explain.ts';
import { reloadCommand } from './commands/reload.ts';
import { schemaCommand } from './commands/schema.ts';
import { serveCommand } from './commands/serve.ts';
import { topCommand } from './commands/top.ts';
import { verifyCommand } from './commands/verify.ts';
import { description, version } from './package.ts';

const terminal = { stdout: process.stdout, stderr: process.stderr };
// A full disk is a failure, said once; a reader that has seen enough (`| head`) needs no word about it.
process.stdout.once('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') process.stderr.write(`callahead: cannot write: ${error.message}\n`);
});
process.stdout.on('error', () => finish(1));
process.stderr.on('error', () => {});

const program = new Command('callahead')
  .description(description)
  .version(version)
  .showHelpAfterError('(callahead --help lists the commands)')
  .exitOverride();

program
  .command('serve')
  .description('run the gateway')
  .requiredOption('-c, --config <file>', 'the configuration file')
  .action(async (options: { config: string }) => finish(await serveCommand({ file: options.config }, terminal)));

program
  .command('check')
  .description('check a configuration file: every problem as FILE:LINE:COL, exit code 2 when there is one')
  .requiredOption('-c, --config <file>', 'the configuration file')
  .action(async (options: { config: string }) => finish(await checkCommand({ file: options.config }, terminal)));

type ExplainOptions = Readonly<{ config: string; listener?: string; client?: string; dry?: boolean; json?: boolean }>;

program
  .command('explain')
  .description('show what becomes of a recipient and why; exit code 0 accepted, 1 rejected, 3 try again later')
  .argument('<address>', 'the recipient')
  .requiredOption('-c, --config <file>', 'the configuration file')
  .option('--listener <name>', 'the listener that it arrives at (default: the first public one)')
  .option('--client <ip>', 'the address of the client that sends to it')
  .option('--dry', 'contact no server that would be asked about it')
  .option('--json', 'print JSON')
  .action(async (address: string, options: ExplainOptions) => {
    const { config: file, listener = null, client = null, dry = false, json = false } = options;
    finish(await explainCommand({ address, file, listener, client, dry, json }, terminal));
  });

type VerifyOptions = Readonly<{
  config: string;
  profile?: string;
  listener?: string;
  concurrency?: string;
  format?: string;
  resume?: string;
}>;

program
  .command('verify')
  .description('ask about many recipients; exit code 0 all are valid, 1 one is not, 3 one could not be told')
  .argument('[address...]', 'the recipients (default: from stdin, one a line)')
  .requiredOption('-c, --config <file>', 'the configuration file')
  .option('--profile <name>', 'the call-ahead profile to ask by (default: that of the listener)')
  .option('--listener <name>', 'the listener that they would arrive at (default: the first one with a profile)')
  .option('--concurrency <number>', 'how many are asked about at once (default: 100)')
  .option('--format <format>', 'json, csv or text; one result a line, in the order of the addresses (default: text)')
  .option('--resume <file>', 'go on behind the results that an earlier run wrote to this file: append to it with >>')
  .action(async (addresses: readonly string[], options: VerifyOptions) => {
    const { config: file, profile = null, listener = null, concurrency = null, format = null, resume = null } = options;
    finish(await verifyCommand({ addresses, file, profile, listener, concurrency, format, resume }, terminal));
  });

const cache = program.command('cache').description('look into the caches of the running gateway, or let it forget');

cache
  .command('show')
  .description('show what is cached about a recipient')
  .argument('<address>', 'the recipient')
  .requiredOption('-c, --config <file>', 'the configuration file of the gateway')
  .option('--json', 'print JSON')
  .action(async (address: string, { config: file, json = false }: Readonly<{ config: string; json?: boolean }>) =>
    finish(await cacheShowCommand({ address, file, json }, terminal)),
  );

type FlushOptions = Readonly<{ config: string; server?: string; negative?: boolean; all?: boolean; json?: boolean }>;

cache
  .command('flush')
  .description('forget cached answers: of a recipient, of a domain, of a server, all that are no, or all')
  .argument('[address]', 'the recipient, or @DOMAIN')
  .requiredOption('-c, --config <file>', 'the configuration file of the gateway')
  .option('--server <host:port>', 'what this server answered')
  .option('--negative', 'every answer that is no')
  .option('--all', 'everything')
  .option('--json', 'print JSON')
  .action(async (what: string | undefined, options: FlushOptions) => {
    const { config: file, server = null, negative = false, all = false, json = false } = options;
    finish(await cacheFlushCommand({ what: what ?? null, server, negative, all, file, json }, terminal));
  });

program
  .command('reload')
  .description(
    'let the running gateway read its configuration file again; exit code 2: it is of no use, nothing has changed',
  )
  .requiredOption('-c, --config <file>', 'the configuration file of the gateway')
  .option('--json', 'print JSON')
  .action(async ({ config: file, json = false }: Readonly<{ config: string; json?: boolean }>) =>
    finish(await reloadCommand({ file, json }, terminal)),
  );

program
  .command('top')
  .description('show the running gateway: live on a terminal (q ends it), else once as text')
  .requiredOption('-c, --config <file>', 'the configuration file of the gateway')
  .action(async ({ config: file }: Readonly<{ config: string }>) => finish(await topCommand({ file }, terminal)));

program
  .command('schema')
  .description('print the JSON Schema of the configuration file')
  .action(() => finish(schemaCommand(terminal)));

/** Lets what was written drain before the process ends. */
function finish(exitCode: number): void {
  process.exitCode = exitCode;
}

try {
  await program.parseAsync();
} catch (error) {
  if (!(error instanceof CommanderError)) throw error;
  // SPEC 1.7: a wrong call is 2; help and version are no errors.
  finish(error.exitCode === 0 ? 0 : 2);
}
