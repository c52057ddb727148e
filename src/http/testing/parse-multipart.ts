import assert from 'node:assert/strict';

export interface ParsedPart {
  readonly range: string;
  /** Latin-1 text. */
  readonly bytes: string;
}

/** Reads a multipart/byteranges body as a client does (RFC 2046, section 5.1): for the tests of this folder. */
export function parseMultipart(contentType: string, body: string): ParsedPart[] {
  const boundary = /^multipart\/byteranges; boundary=([\w-]{1,70})$/.exec(contentType)?.[1];
  assert(boundary !== undefined, contentType);
  const sections = `\r\n${body}`.split(`\r\n--${boundary}`);
  assert.equal(sections.shift(), '');
  assert.equal(sections.pop(), '--\r\n');
  return sections.map((section) => {
    const blank = section.indexOf('\r\n\r\n');
    const [before, ...head] = section.slice(0, blank).split('\r\n');
    assert.equal(before, '');
    assert.equal(head[0], 'Content-Type: application/octet-stream');
    const range = /^Content-Range: (.+)$/.exec(head[1] ?? '')?.[1];
    assert(range !== undefined, section);
    return { range, bytes: section.slice(blank + 4) };
  });
}
