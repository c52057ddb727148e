/** Takes `NAME=URL` or `NAME` apart; what the parts are worth is for the schema to say. */
export function parseUpstreamArgument(text: string): { readonly name: string; readonly url?: string } {
  const equals = text.indexOf('=');
  if (equals === -1) return { name: text };
  return { name: text.slice(0, equals), url: text.slice(equals + 1) };
}
