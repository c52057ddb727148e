import { Edge } from './edge.ts';
import type { ImageContent } from './image-content.ts';
import { Registry } from './registry.ts';
import { TempFolder } from './temp-folder.ts';

export interface PullThroughOptions {
  readonly label: string;
  /** By `repository:tag`, as the upstream registry names them. */
  readonly images: Readonly<Record<string, ImageContent>>;
  /** What the edge's configuration file says besides the upstreams. */
  readonly config?: object;
}

/** A registry that plays docker.io with some images, and an edge in front of it; everything in one temporary folder. */
export class PullThrough {
  readonly folder: TempFolder;
  readonly upstream: Registry;
  readonly edge: Edge;
  readonly #resources: AsyncDisposableStack;

  private constructor(
    parts: { folder: TempFolder; upstream: Registry; edge: Edge },
    resources: AsyncDisposableStack,
  ) {
    this.folder = parts.folder;
    this.upstream = parts.upstream;
    this.edge = parts.edge;
    this.#resources = resources;
  }

  static async start(options: PullThroughOptions): Promise<PullThrough> {
    await using resources = new AsyncDisposableStack();
    const folder = resources.use(await TempFolder.create(options.label));
    const upstream = resources.use(await Registry.start({ folder: folder.file('upstream') }));
    for (const [name, content] of Object.entries(options.images)) await upstream.push(name, content);
    const edge = resources.use(
      await Edge.start({
        folder: folder.file('edge'),
        upstreams: { 'docker.io': upstream.url },
        ...(options.config === undefined ? {} : { config: options.config }),
      }),
    );
    return new PullThrough({ folder, upstream, edge }, resources.move());
  }

  /** Has `resource` disposed of together with this, before what it depends on. */
  use<Resource extends AsyncDisposable>(resource: Resource): Resource {
    return this.#resources.use(resource);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#resources.disposeAsync();
  }
}
