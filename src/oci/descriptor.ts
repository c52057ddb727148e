import { parseDigest, type Digest } from './digest.ts';
import { field, textField, textMapField } from './json-value.ts';
import { platformFromJson, type Platform } from './platform.ts';

/** image-spec, descriptor.md: what another piece of content is, by digest. */
export interface Descriptor {
  /** As written; normalise before comparing. */
  readonly mediaType: string;
  readonly digest: Digest;
  /** In bytes. */
  readonly size: number;
  /** Where else the content can be had; not empty. */
  readonly urls?: readonly string[];
  readonly annotations?: Readonly<Record<string, string>>;
  readonly platform?: Platform;
  readonly artifactType?: string;
}

/**
 * Reads a descriptor from parsed JSON. Strict with what is required (`undefined` when it is missing, or the digest is of
 * an algorithm that cannot be verified here), lenient with the rest: optional fields of a wrong type are left out,
 * unknown ones ignored.
 */
export function parseDescriptor(json: unknown): Descriptor | undefined {
  const mediaType = textField(json, 'mediaType');
  const digest = parseDigest(textField(json, 'digest') ?? '');
  const size = field(json, 'size');
  if (mediaType === undefined || digest === undefined || !isSize(size)) return undefined;

  const urls = textList(field(json, 'urls'));
  const annotations = textMapField(json, 'annotations');
  const platform = platformFromJson(field(json, 'platform'));
  const artifactType = textField(json, 'artifactType');
  return {
    mediaType,
    digest,
    size,
    ...(urls.length === 0 ? {} : { urls }),
    ...(annotations === undefined ? {} : { annotations }),
    ...(platform === undefined ? {} : { platform }),
    ...(artifactType === undefined ? {} : { artifactType }),
  };
}

function isSize(json: unknown): json is number {
  return typeof json === 'number' && Number.isSafeInteger(json) && json >= 0;
}

function textList(json: unknown): string[] {
  return Array.isArray(json) ? json.filter((item): item is string => typeof item === 'string') : [];
}
