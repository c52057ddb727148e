import type { CliIo } from './cli-io.ts';
import { exitCodes, type ExitCode } from './exit-code.ts';

/** A role that runs in this process. */
export interface RunningRole {
  /** Ends answers under way, then everything; rejects when that fails. */
  stop(): Promise<void>;
  /** Settles when the role has ended, asked or not; rejects with what ended it. */
  readonly exited: Promise<void>;
}

export interface RoleStart<Role extends RunningRole> {
  readonly start: () => Promise<Role>;
  /** Called once it runs. */
  readonly started: (role: Role) => void;
}

/**
 * Runs a role until it ends or a signal asks it to. The first signal stops it in good order, also when it is still
 * starting; the second ends the wait at once. Rejects with what the role failed with.
 */
export async function runRole<Role extends RunningRole>(
  { start, started }: RoleStart<Role>,
  io: CliIo,
): Promise<ExitCode> {
  const asked = Promise.withResolvers<'asked'>();
  const insisted = Promise.withResolvers<'insisted'>();
  let signals = 0;
  const forget = io.onStopSignal((signal) => {
    signals += 1;
    if (signals === 1) {
      io.stderr.write(`wherry: ${signal}: stopping; once more to stop at once\n`);
      asked.resolve('asked');
    } else {
      insisted.resolve('insisted');
    }
  });
  const runs = async (): Promise<ExitCode> => {
    const role = await start();
    if (signals === 0) started(role);
    const ended = await Promise.race([asked.promise, role.exited]);
    if (ended !== 'asked') throw new Error('ended without being asked to');
    await role.stop();
    return exitCodes.ok;
  };
  try {
    const outcome = await Promise.race([runs(), insisted.promise]);
    return outcome === 'insisted' ? exitCodes.failure : outcome;
  } finally {
    forget();
  }
}
