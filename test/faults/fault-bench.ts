import { Edge } from '../programs/edge.ts';
import { TempFolder } from '../programs/temp-folder.ts';
import { FakeRegistry, type FakeRegistryOptions } from '../fakes/fake-registry.ts';

export interface FaultBenchOptions {
  readonly label: string;
  readonly registry?: FakeRegistryOptions;
  /** Settings of the upstream, which is called docker.io. */
  readonly upstream?: object;
  readonly cache?: object;
  /** What else the edge's configuration says; it may need the origin of the registry. */
  readonly config?: object | ((origin: string) => object);
  /** Called before the edge starts, with the path that its data will have; what it gives is undone after the edge. */
  readonly prepareData?: (dataFolder: string) => Promise<AsyncDisposable>;
}

/** A breaker that stays out of the way of suites about single answers. */
const patient = { failures: 1_000_000 };

/** A registry that fails on demand, in this process, and a real edge process in front of it. */
export class FaultBench {
  readonly folder: TempFolder;
  readonly upstream: FakeRegistry;
  readonly edge: Edge;
  readonly #resources: AsyncDisposableStack;

  private constructor(
    parts: { folder: TempFolder; upstream: FakeRegistry; edge: Edge },
    resources: AsyncDisposableStack,
  ) {
    this.folder = parts.folder;
    this.upstream = parts.upstream;
    this.edge = parts.edge;
    this.#resources = resources;
  }

  static async start(options: FaultBenchOptions): Promise<FaultBench> {
    await using resources = new AsyncDisposableStack();
    const folder = resources.use(await TempFolder.create(options.label));
    const upstream = resources.use(new FakeRegistry(options.registry));
    await upstream.start();
    if (options.prepareData !== undefined) {
      resources.use(await options.prepareData(await folder.folder('edge', 'data')));
    }
    const { config } = options;
    const settings = { breaker: patient, ...options.upstream };
    const edge = resources.use(
      await Edge.start({
        folder: folder.file('edge'),
        config: {
          upstreams: [{ name: 'docker.io', url: upstream.origin, ...settings }],
          cache: { reserve: '1MiB', ...options.cache },
          log: { access: 'off' },
          ...(typeof config === 'function' ? config(upstream.origin) : config),
        },
      }),
    );
    return new FaultBench({ folder, upstream, edge }, resources.move());
  }

  manifestUrl(repository: string, reference: string): string {
    return `${this.edge.url}/v2/${repository}/manifests/${reference}`;
  }

  blobUrl(repository: string, digest: string): string {
    return `${this.edge.url}/v2/${repository}/blobs/${digest}`;
  }

  /** How many blob bodies the upstream was asked for. */
  blobGets(repository = ''): number {
    return this.upstream.count('GET', new RegExp(`${repository}/blobs/`));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#resources.disposeAsync();
  }
}
