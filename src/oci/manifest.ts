import { parseDescriptor, type Descriptor } from './descriptor.ts';
import {
  field,
  isJsonObject,
  nestsDeeperThan,
  textField,
  textMapField,
  type JsonObject,
} from './json-value.ts';
import { isImageManifestType, isIndexType, normaliseMediaType } from './media-type.ts';

interface ManifestParts {
  /** The manifest that this one refers to: a signature's image. It need not exist. */
  readonly subject?: Descriptor;
  readonly artifactType?: string;
  readonly annotations?: Readonly<Record<string, string>>;
}

export interface ImageManifest extends ManifestParts {
  readonly kind: 'image';
  readonly config?: Descriptor;
  readonly layers: readonly Descriptor[];
}

export interface ImageIndex extends ManifestParts {
  readonly kind: 'index';
  readonly manifests: readonly Descriptor[];
}

/** A type whose content is none of our business: kept and passed on as bytes. */
export interface OpaqueManifest {
  readonly kind: 'opaque';
}

export type ParsedManifest = ImageManifest | ImageIndex | OpaqueManifest;

const maxDepth = 64;
const maxDescriptors = 10_000;

/**
 * Reads what a manifest refers to. The bytes themselves remain the manifest: nothing here is ever written back.
 *
 * The kind follows from the body's `mediaType`, else from the given one, else from the fields. `undefined` for what must
 * not be stored or served as a manifest of its type: broken JSON, wrong or too many descriptors, nesting beyond 64, and
 * documents that one reader may take for an image and another for an index (CVE-2021-41190): both `layers` and
 * `manifests`, or a body that contradicts the given type.
 */
export function parseManifest(bytes: Uint8Array, mediaType: string): ParsedManifest | undefined {
  const givenKind = kindOfType(normaliseMediaType(mediaType));
  const json = parseJson(bytes);
  if (!isJsonObject(json)) return givenKind === 'opaque' ? { kind: 'opaque' } : undefined;

  const hasLayers = isPresent(field(json, 'layers'));
  const hasManifests = isPresent(field(json, 'manifests'));
  if (hasLayers && hasManifests) return undefined;

  const bodyType = textField(json, 'mediaType');
  const bodyKind = bodyType === undefined ? undefined : kindOfType(normaliseMediaType(bodyType));
  if (bodyKind !== undefined && givenKind !== 'opaque' && bodyKind !== givenKind) return undefined;
  const shape = hasManifests ? 'index' : hasLayers ? 'image' : 'opaque';
  switch (bodyKind ?? (givenKind === 'opaque' ? shape : givenKind)) {
    case 'image':
      return hasManifests ? undefined : imageOf(json);
    case 'index':
      return hasLayers ? undefined : indexOf(json);
    case 'opaque':
      return { kind: 'opaque' };
  }
}

function kindOfType(mediaType: string): ParsedManifest['kind'] {
  if (isImageManifestType(mediaType)) return 'image';
  return isIndexType(mediaType) ? 'index' : 'opaque';
}

function imageOf(json: JsonObject): ImageManifest | undefined {
  const parts = partsOf(json);
  const layers = descriptorsOf(field(json, 'layers'));
  const config = optionalDescriptor(json, 'config');
  if (parts === undefined || layers === undefined || config === undefined) return undefined;
  return { kind: 'image', ...config, layers, ...parts };
}

function indexOf(json: JsonObject): ImageIndex | undefined {
  const parts = partsOf(json);
  const manifests = descriptorsOf(field(json, 'manifests'));
  if (parts === undefined || manifests === undefined) return undefined;
  return { kind: 'index', manifests, ...parts };
}

function partsOf(json: JsonObject): ManifestParts | undefined {
  const subject = optionalDescriptor(json, 'subject');
  if (subject === undefined) return undefined;
  const artifactType = textField(json, 'artifactType');
  const annotations = textMapField(json, 'annotations');
  return {
    ...subject,
    ...(artifactType === undefined ? {} : { artifactType }),
    ...(annotations === undefined ? {} : { annotations }),
  };
}

/** An object with or without the field; `undefined` when it is there and no descriptor. */
function optionalDescriptor<Name extends string>(
  json: JsonObject,
  name: Name,
): { readonly [name in Name]?: Descriptor } | undefined {
  const value = field(json, name);
  if (!isPresent(value)) return {};
  const descriptor = parseDescriptor(value);
  return descriptor === undefined ? undefined : ({ [name]: descriptor } as { [name in Name]?: Descriptor });
}

/** `null` stands for an empty list: Go's encoder writes it, and CNAB bundles carry it. */
function descriptorsOf(json: unknown): Descriptor[] | undefined {
  if (!isPresent(json)) return [];
  if (!Array.isArray(json) || json.length > maxDescriptors) return undefined;
  const descriptors: Descriptor[] = [];
  for (const item of json) {
    const descriptor = parseDescriptor(item);
    if (descriptor === undefined) return undefined;
    descriptors.push(descriptor);
  }
  return descriptors;
}

function isPresent(json: unknown): boolean {
  return json !== undefined && json !== null;
}

function parseJson(bytes: Uint8Array): unknown {
  if (nestsDeeperThan(bytes, maxDepth)) return undefined;
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes));
  } catch {
    // Not UTF-8, or not JSON: the caller says what that means for its type.
    return undefined;
  }
}
