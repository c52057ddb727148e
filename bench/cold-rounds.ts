import { rm } from 'node:fs/promises';
import { runCommand } from '../test/programs/run-command.ts';
import { blobUrl, type BlobUpstream } from './blob-upstream.ts';
import type { Contenders } from './contenders.ts';
import { download, type DownloadTimes } from './download.ts';
import { expectBody } from './fetch-digest.ts';
import type { SampleBlob } from './sample-blob.ts';

/**
 * Downloads of blobs that nobody fetched before: each round has a blob of its own. Like services that run for months,
 * the contenders have one such download behind them when it counts.
 */
export class ColdRounds {
  readonly #upstream: BlobUpstream;
  readonly #blobBytes: number;
  readonly #blobs = new Map<number, Promise<SampleBlob>>();

  constructor(upstream: BlobUpstream, blobBytes: number) {
    this.#upstream = upstream;
    this.#blobBytes = blobBytes;
  }

  async contenders<Name extends string>(
    urls: Readonly<Record<Name, string>>,
  ): Promise<Contenders<Name, DownloadTimes>> {
    const entries = Object.entries<string>(urls);
    const contenders: [string, (round: number) => Promise<DownloadTimes>][] = [];
    for (const [name, url] of entries) {
      const warmUp = await this.#blobOf(-1);
      await expectBody(blobUrl(url, warmUp), warmUp.digest);
      contenders.push([name, async (round) => this.#time(url, round)]);
    }
    return Object.fromEntries(contenders) as Contenders<Name, DownloadTimes>;
  }

  async #time(url: string, round: number): Promise<DownloadTimes> {
    const blob = await this.#blobOf(round);
    // What was written before must not be written to the disk meanwhile.
    await runCommand('sync', []);
    const times = await download(blobUrl(url, blob), blob.size);
    await expectBody(blobUrl(url, blob), blob.digest);
    return times;
  }

  async #blobOf(round: number): Promise<SampleBlob> {
    let blob = this.#blobs.get(round);
    if (blob === undefined) {
      const before = await this.#blobs.get(round - 1);
      if (before !== undefined) await rm(before.file);
      blob = this.#upstream.addBlob(this.#blobBytes);
      this.#blobs.set(round, blob);
    }
    return blob;
  }
}
