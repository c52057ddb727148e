import { formatByteSize, parseByteSize } from '../src/base/byte-size.ts';
import { formatDuration, parseDurationMs } from '../src/base/duration.ts';
import { field } from './field.ts';
import { formatHostPort, parseHostPort, type HostPort } from './host-port.ts';
import { Secret, secretMask } from './secret.ts';

/** Milliseconds; written with a unit, `0s` where nothing is meant. */
export function duration(doc: string, { minMs = 0 }: { readonly minMs?: number } = {}) {
  return field<number>({
    doc,
    expected:
      minMs > 0
        ? `a duration of at least ${formatDuration(minMs)}, such as 30s or 5m`
        : 'a duration such as 30s, 5m or 7d',
    parse: (text) => {
      const ms = parseDurationMs(text);
      return ms !== undefined && ms >= minMs ? ms : undefined;
    },
    format: formatDuration,
  });
}

export interface BytesOptions {
  readonly minBytes?: number;
  readonly env?: string;
}

/** Bytes. */
export function bytes(doc: string, { minBytes = 1, env }: BytesOptions = {}) {
  return field<number>({
    ...fieldDoc(doc, env),
    expected: 'a size such as 512MiB or 20GB',
    parse: (text) => sizeFrom(text, minBytes),
    format: formatByteSize,
  });
}

/** Bytes, or `auto`. */
export function bytesOrAuto(doc: string, { minBytes = 1, env }: BytesOptions = {}) {
  return field<number | 'auto'>({
    ...fieldDoc(doc, env),
    expected: 'a size such as 50GB, or auto',
    parse: (text) => (text === 'auto' ? text : sizeFrom(text, minBytes)),
    format: (value) => (value === 'auto' ? value : formatByteSize(value)),
  });
}

/** A part of a disk. */
export type DiskShare =
  | { readonly unit: 'bytes'; readonly bytes: number }
  | { readonly unit: 'fraction'; readonly fraction: number };

const percentage = /^(\d{1,2}(?:\.\d{1,3})?) ?%$/;

export function diskShare(doc: string) {
  return field<DiskShare>({
    doc,
    expected: 'a size such as 1GiB or a percentage such as 2%',
    parse: (text) => {
      const percent = percentage.exec(text)?.[1];
      if (percent !== undefined) return { unit: 'fraction', fraction: Number(percent) / 100 };
      const size = sizeFrom(text, 0);
      return size === undefined ? undefined : { unit: 'bytes', bytes: size };
    },
    format: (share) =>
      share.unit === 'bytes' ? formatByteSize(share.bytes) : `${Number((share.fraction * 100).toFixed(3))}%`,
  });
}

/** A whole number. */
export function count(
  doc: string,
  { min = 1, max = 1_000_000 }: { readonly min?: number; readonly max?: number } = {},
) {
  return field<number>({
    doc,
    expected: `a whole number from ${min} to ${max}`,
    editor: { type: 'integer', minimum: min, maximum: max },
    parse: (text) => {
      const value = /^\d{1,15}$/.test(text) ? Number(text) : undefined;
      return value !== undefined && value >= min && value <= max ? value : undefined;
    },
    format: (value) => value,
  });
}

/** A part of a whole, above 0 and at most 1. */
export function fraction(doc: string) {
  return field<number>({
    doc,
    expected: 'a number above 0 and at most 1, such as 0.95',
    editor: { type: 'number', exclusiveMinimum: 0, maximum: 1 },
    parse: (text) => {
      const value = /^\d(?:\.\d{1,6})?$/.test(text) ? Number(text) : 0;
      return value > 0 && value <= 1 ? value : undefined;
    },
    format: (value) => value,
  });
}

export function toggle(doc: string) {
  return field<boolean>({
    doc,
    expected: 'true or false',
    editor: { type: 'boolean' },
    parse: (text) => (text === 'true' ? true : text === 'false' ? false : undefined),
    format: (value) => value,
  });
}

export function hostPort(doc: string) {
  return field<HostPort>({
    doc,
    expected: 'HOST:PORT such as 127.0.0.1:5000 or [::1]:5000',
    parse: parseHostPort,
    format: formatHostPort,
  });
}

/** A file or folder; relative ones are taken from the working directory. */
export function path(doc: string) {
  return field<string>({ doc, expected: 'a path', parse: nonEmpty, format: (value) => value });
}

/** Free text, not empty. */
export function text(doc: string, expected: string) {
  return field<string>({ doc, expected, parse: nonEmpty, format: (value) => value });
}

export function secret(doc: string) {
  return field<Secret>({
    doc,
    expected: 'a text that is not empty',
    secret: true,
    parse: (value) => (nonEmpty(value) === undefined ? undefined : new Secret(value)),
    format: () => secretMask,
  });
}

function nonEmpty(value: string): string | undefined {
  return value === '' || value.includes('\0') ? undefined : value;
}

function sizeFrom(value: string, minBytes: number): number | undefined {
  const size = parseByteSize(value);
  return size !== undefined && size >= minBytes ? size : undefined;
}

function fieldDoc(doc: string, env: string | undefined): { doc: string; env?: string } {
  return env === undefined ? { doc } : { doc, env };
}
