/** A request target (RFC 9112, section 3.2) split where its query begins. */
export interface RequestTarget {
  /** Begins with `/`, percent-encoding as received; `*` for the asterisk form. */
  readonly path: string;
  /** What stands behind `?`, without it. */
  readonly query: string;
}

const absoluteForm = /^https?:\/\/[^/?#]*/i;

/** Clients of a forward proxy send the absolute form, which every server must understand (section 3.2.2). */
export function parseRequestTarget(url: string): RequestTarget {
  const origin = url.startsWith('/') ? url : originForm(url);
  const mark = origin.indexOf('?');
  if (mark < 0) return { path: origin, query: '' };
  return { path: origin.slice(0, mark), query: origin.slice(mark + 1) };
}

function originForm(url: string): string {
  const rest = url.replace(absoluteForm, '');
  if (rest.length === url.length) return url;
  return rest.startsWith('/') ? rest : `/${rest}`;
}
