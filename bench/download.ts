import { runCommand } from '../test/programs/run-command.ts';

export interface DownloadTimes {
  readonly firstByteMs: number;
  readonly totalSeconds: number;
}

/** Gets a URL with curl, which throws the bytes away. Fails on any other status than 200, and on a wrong length. */
export async function download(url: string, expectedBytes: number): Promise<DownloadTimes> {
  const format = '%{http_code} %{size_download} %{time_starttransfer} %{time_total}';
  const { stdout } = await runCommand('curl', ['-sS', '-o', '/dev/null', '-w', format, url]);
  const [status, bytes, firstByte, total] = stdout.split(' ').map(Number);
  if (status !== 200 || bytes !== expectedBytes || firstByte === undefined || total === undefined) {
    throw new Error(`${url}: ${stdout} in place of ${expectedBytes} bytes`);
  }
  return { firstByteMs: firstByte * 1000, totalSeconds: total };
}
