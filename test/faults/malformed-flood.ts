import { readFile } from 'node:fs/promises';
import { image, layerBytes } from '../fakes/images.ts';
import { FaultBench } from './fault-bench.ts';
import { malformedRequests } from './malformed-requests.ts';
import { pull } from './pull.ts';
import { impatient, rawExchange, statusLines } from './raw-exchange.ts';
import { filesBelow } from './stored-files.ts';

export interface FloodResult {
  /** How many answers there were of each status; 0 for connections closed without one. */
  readonly statuses: ReadonlyMap<number, number>;
  /** Requests that were answered with 5xx, or not at all in time, as text. */
  readonly offending: readonly string[];
  readonly servesCached: boolean;
  /** Files outside of the data folder that were not there before. */
  readonly strayFiles: readonly string[];
  readonly residentBytes: number;
}

const senders = 100;

/** Sends malformed requests to an edge that holds an image, and looks what has become of it. */
export async function malformedFlood(seed: number, count: number): Promise<FloodResult> {
  await using bench = await FaultBench.start({ label: 'malformed', config: { limits: impatient } });
  const cached = image({ layers: [layerBytes(50_000, 'cached')] });
  bench.upstream.addImage('library/app', cached, 'latest');
  const layer = cached.blobs[1]!;
  await pull(bench.manifestUrl('library/app', 'latest'));
  await pull(bench.blobUrl('library/app', layer.digest));
  const outside = async (): Promise<string[]> =>
    (await filesBelow(bench.folder.path)).filter((file) => !file.startsWith('edge/data/'));
  const before = new Set(await outside());

  const statuses = new Map<number, number>();
  const offending: string[] = [];
  const requests = malformedRequests(seed, count).values();
  const send = async (): Promise<void> => {
    for (const request of requests) {
      const { text, hung } = await rawExchange(bench.edge.port, request);
      const found = statusLines(text);
      for (const status of found.length === 0 ? [0] : found) {
        statuses.set(status, (statuses.get(status) ?? 0) + 1);
      }
      if (hung || found.some((status) => status >= 500)) {
        offending.push(
          `${hung ? 'hung' : found.join()}: ${JSON.stringify(request.toString('latin1').slice(0, 400))}`,
        );
      }
    }
  };
  await Promise.all(Array.from({ length: senders }, send));

  const answer = await pull(bench.blobUrl('library/app', layer.digest));
  return {
    statuses,
    offending,
    servesCached: answer.status === 200 && answer.complete && answer.bytes.equals(layer.bytes),
    strayFiles: (await outside()).filter((file) => !before.has(file)),
    residentBytes: await residentBytes(bench.edge.pid),
  };
}

export async function residentBytes(pid: number): Promise<number> {
  const kibibytes = /^VmRSS:\s+(\d+) kB$/m.exec(await readFile(`/proc/${pid}/status`, 'utf8'))?.[1];
  return Number(kibibytes) * 1024;
}
