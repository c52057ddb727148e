/** A path under `/v2/`, taken apart. Names and references are text still: addressing decides what they mean. */
export type Route =
  | { readonly kind: 'base' }
  | { readonly kind: 'catalog' }
  | { readonly kind: 'manifest'; readonly name: string; readonly reference: string }
  | { readonly kind: 'blob'; readonly name: string; readonly digest: string }
  | { readonly kind: 'upload-start'; readonly name: string }
  | { readonly kind: 'upload'; readonly name: string; readonly session: string }
  | { readonly kind: 'tags'; readonly name: string }
  | { readonly kind: 'referrers'; readonly name: string; readonly digest: string };

/** Room for the longest name, a digest with its word, and a host in front: nothing that clients send is longer. */
const maxPathLength = 1_024;

const prefix = '/v2/';
const uploads = '/blobs/uploads';

/**
 * Takes apart the raw path of a URL (its query removed) after the table of endpoints of distribution-spec; `undefined`
 * for what is none of them, and for paths that another reader might take differently: malformed escapes, control
 * characters, backslashes, empty and dot segments. Percent-encoding is removed once.
 *
 * Names may contain the words of the grammar (`a/blobs/b` is a name), so the words are looked for from the right.
 */
export function parseRoute(path: string): Route | undefined {
  if (path === prefix || path === '/v2') return { kind: 'base' };
  if (path.length > maxPathLength || !path.startsWith(prefix)) return undefined;
  const plain = path.includes('%') ? decoded(path) : path;
  if (plain === undefined) return undefined;

  const route = plain.endsWith('/') ? plain.slice(0, -1) : plain;
  if (!isTidy(route)) return undefined;
  if (route.endsWith(uploads)) return named(route, route.length - uploads.length, 'upload-start');
  if (route !== plain) return undefined;
  return route === '/v2/_catalog' ? { kind: 'catalog' } : ofLastWords(route);
}

/** `<name>/<word>/<tail>`. */
function ofLastWords(path: string): Route | undefined {
  const tailAt = path.lastIndexOf('/');
  const wordAt = path.lastIndexOf('/', tailAt - 1);
  if (wordAt <= prefix.length) return undefined;
  const name = path.slice(prefix.length, wordAt);
  const tail = path.slice(tailAt + 1);
  switch (path.slice(wordAt + 1, tailAt)) {
    case 'manifests':
      return { kind: 'manifest', name, reference: tail };
    case 'blobs':
      return { kind: 'blob', name, digest: tail };
    case 'referrers':
      return { kind: 'referrers', name, digest: tail };
    case 'tags':
      return tail === 'list' ? { kind: 'tags', name } : undefined;
    case 'uploads': {
      const start = path.slice(0, tailAt);
      const nameEnd = tailAt - uploads.length;
      if (!start.endsWith(uploads) || nameEnd <= prefix.length) return undefined;
      return { kind: 'upload', name: path.slice(prefix.length, nameEnd), session: tail };
    }
    default:
      return undefined;
  }
}

function named(path: string, nameEnd: number, kind: 'upload-start'): Route | undefined {
  return nameEnd <= prefix.length ? undefined : { kind, name: path.slice(prefix.length, nameEnd) };
}

function decoded(path: string): string | undefined {
  try {
    return decodeURIComponent(path);
  } catch {
    // URIError, the only one it throws: not percent-encoded UTF-8.
    return undefined;
  }
}

/** C0, DEL and C1 controls, and the backslash that some readers take for a slash. */
// oxlint-disable-next-line no-control-regex
const forbidden = /[\u0000-\u001f\u007f-\u009f\\]/;
const dotSegment = /\/\.\.?(?:\/|$)/;

/** Runs for each request: three plain searches, and the one for dot segments only where there can be some. */
function isTidy(path: string): boolean {
  if (path.includes('//') || forbidden.test(path)) return false;
  return !path.includes('/.') || !dotSegment.test(path);
}
