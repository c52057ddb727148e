/** Where clients reach an edge's mirror listener. */
export interface EdgeAddress {
  /** Origin, without a slash at the end. */
  readonly url: string;
  /**
   * What stands in image names and in place of a registry's host. Has a port where the name has neither dot nor colon:
   * clients would take a bare `edge/...` for a repository of Docker Hub.
   */
  readonly host: string;
  readonly plainHttp: boolean;
  /** True where only programs on the same machine reach it. */
  readonly loopback: boolean;
}

/** `undefined` for what is no http or https address of a host, without user, path, query and fragment. */
export function parseEdgeAddress(text: string): EdgeAddress | undefined {
  const url = URL.parse(text);
  if (url === null || (url.protocol !== 'http:' && url.protocol !== 'https:')) return undefined;
  if (`${url.origin}/` !== url.href) return undefined;
  const plainHttp = url.protocol === 'http:';
  const ambiguous = !/[.:]/.test(url.host) && url.host !== 'localhost';
  return {
    url: url.origin,
    host: ambiguous ? `${url.host}:${plainHttp ? 80 : 443}` : url.host,
    plainHttp,
    loopback: isLoopback(url.hostname),
  };
}

function isLoopback(hostname: string): boolean {
  return hostname === 'localhost' || hostname === '[::1]' || /^127(?:\.\d{1,3}){3}$/.test(hostname);
}
