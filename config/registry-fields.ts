import { z } from 'zod';
import { field, fieldDocs, list } from './field.ts';

const hostName = /^[a-z0-9]+(?:[._-]+[a-z0-9]+)*(?::\d{1,5})?$/;

/** The name of a registry as image names carry it, or an alias that can stand as the first part of a path. */
export function registryName(doc: string) {
  return field<string>({
    doc,
    expected: 'a registry name such as ghcr.io or registry.example.com:5000',
    parse: (text, reject) => {
      if (text.includes('://'))
        return reject('must be a host name without a scheme, such as ghcr.io; put the address under url');
      if (text.includes('/')) return reject('must be a host name without a path, such as ghcr.io');
      if (text !== text.toLowerCase())
        return reject(`must be in lower case: ${JSON.stringify(text.toLowerCase())}`);
      return text.length <= 255 && hostName.test(text) ? text : undefined;
    },
    format: (name) => name,
  });
}

/** Scheme, host and port, without a slash at the end. */
export function registryUrl(doc: string) {
  return field<string>({
    doc,
    expected: 'an address such as https://registry.example.com',
    parse: parseOrigin,
    format: (url) => url,
  });
}

/** An origin, as `registryUrl` gives; a host alone means https. */
export function realmOrigin(doc: string) {
  return field<string>({
    doc,
    expected: 'a host such as auth.example.com',
    parse: (text, reject) => parseOrigin(hostName.test(text) ? `https://${text}` : text, reject),
    format: (url) => url,
  });
}

function parseOrigin(text: string, reject: (why: string) => undefined): string | undefined {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined) return undefined;
  // The text is left out of these messages: it may hold a password.
  if (url.username !== '' || url.password !== '') {
    return reject('must not contain a user name or a password; put them under credentials');
  }
  if (url.protocol !== 'https:' && url.protocol !== 'http:')
    return reject('must begin with https:// or http://');
  if (url.search !== '' || url.hash !== '') return reject('must not contain a query or a fragment');
  if (url.pathname !== '/') return reject('must not contain a path: /v2/ is added to the address');
  return url.origin;
}

const pattern = /^[A-Za-z0-9_.*?-]{1,128}$/;

/** A glob over tags: `*` stands for any run of characters, `?` for one. */
export function tagPattern(doc: string) {
  return field<string>({
    doc,
    expected: 'a tag pattern such as v1.* or latest (* and ? are wildcards)',
    parse: (text) => (pattern.test(text) ? text : undefined),
    format: (glob) => glob,
  });
}

/** One tag pattern or a list of them; always a list in code. */
export function tagPatterns(doc: string) {
  const patterns = list(doc, tagPattern(doc)).min(1, { error: 'expected at least one tag pattern' });
  const written = z.union([z.string(), z.array(z.string())], {
    error: 'expected a tag pattern such as v1.*, or a list of them',
  });
  return z
    .codec(written, patterns, {
      decode: (value) => (Array.isArray(value) ? value : [value]),
      encode: (globs) => globs.map((glob) => String(glob)),
    })
    .register(fieldDocs, {
      doc,
      expected: 'a tag pattern such as v1.*, or a list of them',
      editor: { anyOf: [{ type: 'string' }, { type: 'array', items: { type: 'string' }, minItems: 1 }] },
    });
}
