import { runCommand } from '../test/programs/run-command.ts';

export interface ShapedLink {
  /** Where the far end answers. */
  readonly farAddress: string;
}

const nearAddress = '10.213.77.1';
const farAddress = '10.213.77.2';

/**
 * Joins the network namespace of a process to this one by a pair of virtual interfaces, what comes from there shaped by
 * a token bucket (tbf). All of it is gone when the process is: a namespace takes its interfaces with it.
 */
export async function shapeLink(processId: number, megabitsPerSecond: number): Promise<ShapedLink> {
  const near = `wb${process.pid}n`.slice(0, 15);
  const far = `wb${process.pid}f`.slice(0, 15);
  const inside = async (...command: string[]): Promise<void> => {
    await runCommand('nsenter', ['--net', '-t', String(processId), '--', ...command]);
  };
  await runCommand('ip', [
    'link',
    'add',
    near,
    'type',
    'veth',
    'peer',
    'name',
    far,
    'netns',
    String(processId),
  ]);
  await runCommand('ip', ['addr', 'add', `${nearAddress}/30`, 'dev', near]);
  await runCommand('ip', ['link', 'set', near, 'up']);
  await inside('ip', 'addr', 'add', `${farAddress}/30`, 'dev', far);
  await inside('ip', 'link', 'set', 'lo', 'up');
  await inside('ip', 'link', 'set', far, 'up');
  const rate = ['rate', `${megabitsPerSecond}mbit`, 'burst', '256kb', 'latency', '50ms'];
  await inside('tc', 'qdisc', 'add', 'dev', far, 'root', 'tbf', ...rate);
  return { farAddress };
}
