import { formatInventoryName, type InventoryEntry } from '../../src/cache/cache-inventory.ts';
import type { CachedImage, CachedImageDetail } from '../../src/protocol/admin-api.ts';

export function cachedImage(entry: InventoryEntry): CachedImage {
  const { checkedAtMs, contents, digest, key, mediaType, pinnedUntilMs, usedAtMs } = entry;
  return {
    image: formatInventoryName(entry),
    upstream: key.upstream,
    repository: key.repository,
    digest,
    mediaType,
    storedBytes: contents?.storedBytes ?? 0,
    complete: contents?.complete ?? false,
    ...time('usedAt', usedAtMs),
    ...time('checkedAt', checkedAtMs),
    ...time('pinnedUntil', pinnedUntilMs),
  };
}

export function cachedImageDetail(entry: InventoryEntry): CachedImageDetail {
  const platforms = (entry.contents?.platforms ?? []).map(({ platform, ...rest }) => ({
    ...rest,
    ...(platform === undefined ? {} : { platform }),
  }));
  return { ...cachedImage(entry), platforms };
}

function time<Name extends string>(
  name: Name,
  atMs: number | undefined,
): { readonly [name in Name]?: string } {
  if (atMs === undefined) return {};
  return { [name]: new Date(atMs).toISOString() } as { [name in Name]?: string };
}
