import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http';
import { parseRangeHeader } from '../../src/oci/byte-range.ts';
import { ociIndexType, ociManifestType } from '../../src/oci/media-type.ts';
import { FakeTokenDesk, type FakeAuth, type TokenAnswer } from './fake-auth.ts';
import { sendBody, spoil, type FakeFault } from './fake-body.ts';
import { FakeListener, type ListenerOptions } from './fake-listener.ts';
import { descriptor, type FakeContent, type FakeImage, type FakeIndex, type FakeManifest } from './images.ts';

export interface RecordedRequest {
  readonly method: string;
  /** Without the query. */
  readonly path: string;
  readonly query: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
  /** Of the answer; 0 until it began. */
  status: number;
  /** Body bytes that were handed to the socket. */
  bytesSent: number;
}

export type RequestMatch = (request: RecordedRequest) => boolean;

export interface FakeRegistryOptions extends ListenerOptions {
  readonly auth?: FakeAuth;
  /** Tags in one page; all by default. */
  readonly tagsPerPage?: number;
  readonly hasReferrersApi?: boolean;
  /** Further endpoints, as registries of clouds have them; JSON. */
  readonly endpoints?: (request: RecordedRequest) => TokenAnswer | undefined;
  /** Fields for each manifest answer, such as Docker Hub's `ratelimit-remaining`. */
  readonly manifestHeaders?: () => Record<string, string>;
}

interface FakeRepository {
  readonly blobs: Map<string, Uint8Array>;
  readonly manifests: Map<string, FakeManifest>;
  readonly tags: Map<string, string>;
}

interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly body: Uint8Array;
}

/** A registry over HTTP with as much of distribution-spec as pulling needs, and faults by request. */
export class FakeRegistry {
  auth: FakeAuth;
  readonly requests: RecordedRequest[] = [];
  readonly tokens = new FakeTokenDesk();
  readonly listener: FakeListener;
  readonly #options: FakeRegistryOptions;
  readonly #repositories = new Map<string, FakeRepository>();
  readonly #faults: { match: RequestMatch; fault: FakeFault; left: number }[] = [];

  constructor(options: FakeRegistryOptions = {}) {
    this.#options = options;
    this.auth = options.auth ?? { kind: 'none' };
    this.listener = new FakeListener((request, response) => {
      // A client that goes away in the middle is what some tests are about.
      this.#serve(request, response).catch(() => response.destroy());
    }, options);
  }

  get origin(): string {
    return this.listener.origin;
  }

  async start(): Promise<void> {
    await this.listener.start();
  }

  async stop(): Promise<void> {
    await this.listener.stop();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.listener.stop();
  }

  addBlob(repository: string, blob: FakeContent): void {
    this.#repository(repository).blobs.set(blob.digest, blob.bytes);
  }

  addManifest(repository: string, manifest: FakeManifest, tag?: string): void {
    const { manifests, tags } = this.#repository(repository);
    manifests.set(manifest.digest, manifest);
    if (tag !== undefined) tags.set(tag, manifest.digest);
  }

  addImage(repository: string, image: FakeImage, tag?: string): void {
    for (const blob of image.blobs) this.addBlob(repository, blob);
    this.addManifest(repository, image.manifest, tag);
  }

  addIndex(repository: string, index: FakeIndex, tag?: string): void {
    for (const image of index.images) this.addImage(repository, image);
    this.addManifest(repository, index.manifest, tag);
  }

  removeTag(repository: string, tag: string): void {
    this.#repository(repository).tags.delete(tag);
  }

  removeRepository(repository: string): void {
    this.#repositories.delete(repository);
  }

  /** Spoils the next `times` answers to requests that match; the fault added last comes first. */
  inject(match: RequestMatch, fault: FakeFault, times = Number.POSITIVE_INFINITY): void {
    this.#faults.unshift({ match, fault, left: times });
  }

  clearFaults(): void {
    this.#faults.length = 0;
  }

  /** How many requests came of one method to paths that match. */
  count(method: string, path: RegExp): number {
    return this.requests.filter((request) => request.method === method && path.test(request.path)).length;
  }

  #repository(name: string): FakeRepository {
    let repository = this.#repositories.get(name);
    if (repository === undefined) {
      repository = { blobs: new Map(), manifests: new Map(), tags: new Map() };
      this.#repositories.set(name, repository);
    }
    return repository;
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    response.on('error', () => undefined);
    const body = await readText(request);
    const url = new URL(request.url ?? '/', this.origin);
    const recorded: RecordedRequest = {
      method: request.method ?? '',
      path: url.pathname,
      query: url.search,
      headers: request.headers,
      body,
      status: 0,
      bytesSent: 0,
    };
    this.requests.push(recorded);
    const fault = this.#faultFor(recorded);
    await fault.headersAfter;
    if (fault.reset === true) {
      response.destroy();
      return;
    }
    await send(response, recorded, this.#answer(request, recorded, url, fault), fault);
  }

  #faultFor(request: RecordedRequest): FakeFault {
    const rule = this.#faults.find(({ match, left }) => left > 0 && match(request));
    if (rule === undefined) return {};
    rule.left -= 1;
    return rule.fault;
  }

  #answer(request: IncomingMessage, recorded: RecordedRequest, url: URL, fault: FakeFault): Answer {
    if (fault.answer !== undefined) {
      const { status, headers = {}, body = '' } = fault.answer;
      return { status, headers, body: Buffer.from(body) };
    }
    if (fault.redirectTo !== undefined) {
      return {
        status: 307,
        headers: { location: fault.redirectTo + url.pathname + url.search },
        body: Buffer.alloc(0),
      };
    }
    const own = this.#options.endpoints?.(recorded);
    if (own !== undefined) return json(own.status, own.body);
    if (url.pathname === '/token') {
      const { status, body } = this.tokens.answer(this.auth, request, recorded.body);
      return json(status, body);
    }
    const match = /^\/v2\/(?:(.+?)\/(manifests|blobs|tags|referrers)\/([^/]+))?$/.exec(url.pathname);
    if (match === null) return failure(404, 'NAME_UNKNOWN');
    const [, name, kind, last = ''] = match;
    const { authorization } = request.headers;
    const verdict = this.tokens.check(this.auth, { authorization, repository: name, origin: this.origin });
    if (!verdict.allowed) {
      return { ...failure(401, 'UNAUTHORIZED'), headers: { 'www-authenticate': verdict.challenge } };
    }
    if (name === undefined) return json(200, {});
    return this.#content({
      name,
      kind: kind ?? '',
      last,
      url,
      range: fault.ignoreRange === true ? undefined : request.headers.range,
      fault,
    });
  }

  #content(request: {
    name: string;
    kind: string;
    last: string;
    url: URL;
    range: string | undefined;
    fault: FakeFault;
  }): Answer {
    const repository = this.#repositories.get(request.name);
    if (repository === undefined) return failure(404, 'NAME_UNKNOWN');
    switch (request.kind) {
      case 'manifests':
        return this.#manifest(repository, request.last);
      case 'blobs':
        return blobAnswer(repository.blobs.get(request.last), request.last, request);
      case 'tags':
        return this.#tags(repository, request.name, request.url);
      default:
        return this.#options.hasReferrersApi === false
          ? failure(404, 'NOT_FOUND')
          : referrers(repository, request.last);
    }
  }

  #manifest(repository: FakeRepository, reference: string): Answer {
    const manifest = repository.manifests.get(repository.tags.get(reference) ?? reference);
    if (manifest === undefined) return failure(404, 'MANIFEST_UNKNOWN');
    const headers = { 'content-type': manifest.mediaType, 'docker-content-digest': manifest.digest };
    return {
      status: 200,
      headers: { ...headers, ...this.#options.manifestHeaders?.() },
      body: manifest.bytes,
    };
  }

  #tags(repository: FakeRepository, name: string, url: URL): Answer {
    const last = url.searchParams.get('last') ?? '';
    const { tagsPerPage = Number.POSITIVE_INFINITY } = this.#options;
    const after = [...repository.tags.keys()].sort().filter((tag) => tag > last);
    const page = after.slice(0, tagsPerPage);
    const answer = json(200, { name, tags: page });
    if (page.length === after.length) return answer;
    const link = `</v2/${name}/tags/list?last=${page.at(-1)}>; rel="next"`;
    return { ...answer, headers: { ...answer.headers, link } };
  }
}

function blobAnswer(
  bytes: Uint8Array | undefined,
  digest: string,
  options: { range: string | undefined; fault: FakeFault },
): Answer {
  if (bytes === undefined) return failure(404, 'BLOB_UNKNOWN');
  const headers = { 'content-type': 'application/octet-stream', 'docker-content-digest': digest };
  const wanted = parseRangeHeader(options.range, bytes.length);
  if (wanted.kind === 'unsatisfiable') {
    return { ...failure(416, 'RANGE_INVALID'), headers: { 'content-range': `bytes */${bytes.length}` } };
  }
  const [range] = wanted.kind === 'ranges' ? wanted.ranges : [];
  if (range === undefined) return { status: 200, headers, body: bytes };
  const shift = options.fault.wrongRange === true ? 1 : 0;
  const [start, end] = [range.start + shift, Math.min(bytes.length, range.end + shift)];
  return {
    status: 206,
    headers: { ...headers, 'content-range': `bytes ${start}-${end - 1}/${bytes.length}` },
    body: bytes.subarray(start, end),
  };
}

function referrers(repository: FakeRepository, digest: string): Answer {
  const manifests = [...repository.manifests.values()].flatMap((manifest) => {
    const parsed = JSON.parse(Buffer.from(manifest.bytes).toString()) as {
      subject?: { digest: string };
      artifactType?: string;
    };
    if (parsed.subject?.digest !== digest) return [];
    return [{ ...descriptor(manifest, ociManifestType), artifactType: parsed.artifactType }];
  });
  const answer = json(200, { schemaVersion: 2, mediaType: ociIndexType, manifests });
  return { ...answer, headers: { 'content-type': ociIndexType } };
}

async function send(
  response: ServerResponse,
  recorded: RecordedRequest,
  answer: Answer,
  fault: FakeFault,
): Promise<void> {
  const body = spoil(answer.body, fault);
  const length = fault.chunked === true ? {} : { 'content-length': String(body.length) };
  const headers = { ...length, ...answer.headers, ...fault.headers };
  const present = Object.entries(headers).filter(
    (entry): entry is [string, string] => entry[1] !== undefined,
  );
  recorded.status = answer.status;
  response.writeHead(answer.status, Object.fromEntries(present));
  if (recorded.method === 'HEAD') {
    response.end();
    return;
  }
  response.flushHeaders();
  await sendBody(response, body, fault, (bytes) => {
    recorded.bytesSent += bytes;
  });
}

function json(status: number, body: unknown): Answer {
  return { status, headers: { 'content-type': 'application/json' }, body: Buffer.from(JSON.stringify(body)) };
}

function failure(status: number, code: string): Answer {
  return json(status, { errors: [{ code, message: code.toLowerCase().replaceAll('_', ' ') }] });
}

async function readText(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString();
}
