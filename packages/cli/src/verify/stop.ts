/** Why a run ends before its last address. `quiet`: nobody reads its output any more, so there is nobody to tell. */
export type Stop = Readonly<{ why: string; quiet: boolean }>;

export type Stopper = Readonly<{
  signal: AbortSignal;
  /** The first call counts. */
  stop(stop: Stop): void;
  /** null: it goes on. */
  stopped(): Stop | null;
  /** Hears no signals and no output any more. */
  close(): void;
}>;

/** Stops at SIGINT and SIGTERM, of which the second one kills, and when the output cannot be written. */
export function createStopper(stdout: NodeJS.WriteStream): Stopper {
  const controller = new AbortController();
  let stopped: Stop | null = null;

  function stop(one: Stop): void {
    if (stopped !== null) return;
    stopped = one;
    controller.abort();
  }

  const onSignal = (name: NodeJS.Signals): void => {
    deafen();
    stop({ why: `by ${name}`, quiet: false });
  };
  const onError = (error: NodeJS.ErrnoException): void => {
    stop({ why: `because its output cannot be written: ${error.message}`, quiet: error.code === 'EPIPE' });
  };
  function deafen(): void {
    process.off('SIGINT', onSignal);
    process.off('SIGTERM', onSignal);
  }

  process.on('SIGINT', onSignal);
  process.on('SIGTERM', onSignal);
  stdout.on('error', onError);
  return {
    signal: controller.signal,
    stop,
    stopped: () => stopped,
    close() {
      deafen();
      stdout.off('error', onError);
    },
  };
}
