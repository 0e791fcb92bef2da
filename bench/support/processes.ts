/** What a process and all that descends from it take, read from /proc. */
import { readdirSync, readFileSync } from 'node:fs';

/** One line of /proc/PID/stat. CPU in clock ticks, of which Linux shows programs 100 a second; `ticks` includes children that were waited for. */
export type Stat = Readonly<{ pid: number; parent: number; ticks: number }>;

const TICKS_A_SECOND = 100;

/** Throws on what is no line of /proc/PID/stat. The name in parentheses may hold anything, parentheses too. */
export function parseStat(line: string): Stat {
  const pid = Number.parseInt(line, 10);
  // proc_pid_stat(5): state is field 3, ppid 4, utime stime cutime cstime are 14 to 17.
  const fields = line.slice(line.lastIndexOf(')') + 2).split(' ');
  const ticks = fields.slice(11, 15).reduce((sum, field) => sum + Number(field), 0);
  const stat = { pid, parent: Number(fields[1]), ticks };
  if (Object.values(stat).some(Number.isNaN)) throw new Error(`no line of /proc/PID/stat: ${line}`);
  return stat;
}

/** The processes of a tree, its root among them. */
export function treeOf(root: number, all: readonly Stat[]): readonly Stat[] {
  const children = Map.groupBy(all, (stat) => stat.parent);
  const tree = all.filter((stat) => stat.pid === root);
  // Grows while it is walked.
  for (const stat of tree) tree.push(...(children.get(stat.pid) ?? []));
  return tree;
}

/** CPU seconds that a tree has used, those of its dead included once they were waited for. */
export function cpuSecondsOf(root: number): number {
  return treeOf(root, readAll()).reduce((sum, stat) => sum + stat.ticks, 0) / TICKS_A_SECOND;
}

/** Memory in MB: the proportional set size, in which pages that forked processes share count once. */
export function megabytesOf(root: number): number {
  const kilobytes = treeOf(root, readAll()).map(({ pid }) => {
    const rollup = tryRead(`/proc/${pid}/smaps_rollup`);
    return Number(/^Pss: +(\d+) kB$/m.exec(rollup)?.[1] ?? 0);
  });
  return kilobytes.reduce((sum, size) => sum + size, 0) / 1024;
}

/** The most memory in MB that a process has had at any time, pages that it shares with others included; 0 where it has ended. */
export function peakMegabytesOf(pid: number): number {
  return Number(/^VmHWM:\s+(\d+) kB$/m.exec(tryRead(`/proc/${pid}/status`))?.[1] ?? 0) / 1024;
}

function readAll(): readonly Stat[] {
  const lines = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map((pid) => tryRead(`/proc/${pid}/stat`));
  return lines.filter((line) => line !== '').map(parseStat);
}

/** A process may end while it is looked at. */
function tryRead(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
