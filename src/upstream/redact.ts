const maxQuoteLength = 200;

/** A URL fit for logs and messages: no user, no password, no query, no fragment (presigned URLs carry their secret there). */
export function redactUrl(url: URL): string {
  return `${url.protocol}//${url.host}${url.pathname}`;
}

/** The start of a foreign text, fit for one line of a log. */
export function quoteForeign(text: string): string {
  return text
    .slice(0, maxQuoteLength * 4)
    .replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\s]+/gu, ' ')
    .trim()
    .slice(0, maxQuoteLength);
}
