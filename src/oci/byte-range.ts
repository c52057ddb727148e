/** Positions as everywhere in this project: `start` inclusive, `end` exclusive. On the wire the last one is inclusive. */
export interface ByteRange {
  readonly start: number;
  readonly end: number;
  /** True where the client named no end (`500-`): it may go away long before it. */
  readonly openEnded: boolean;
}

/**
 * What a `Range` header asks for:
 * - `none`: no header, or one to be ignored (another unit, broken grammar): answer with the whole
 * - `ranges`: at least one, clamped to the representation, in the order in which they were asked for
 * - `unsatisfiable`: 416
 * - `too-many`: more than anyone needs; refuse it
 */
export type RangeRequest =
  | { readonly kind: 'none' }
  | { readonly kind: 'ranges'; readonly ranges: readonly ByteRange[] }
  | { readonly kind: 'unsatisfiable' }
  | { readonly kind: 'too-many' };

export const maxRanges = 64;

/**
 * RFC 9110, section 14. Reversed ranges (`500-0`) are unsatisfiable here, where the RFC would let a server ignore them:
 * the conformance suite of distribution-spec asks for 416.
 */
export function parseRangeHeader(header: string | undefined, size: number): RangeRequest {
  if (header === undefined || !/^bytes=/i.test(header)) return { kind: 'none' };
  const members = header.slice('bytes='.length).split(',', maxMembers);
  const ranges: ByteRange[] = [];
  let count = 0;
  for (const member of members) {
    const text = trimBlanks(member);
    // A list may hold empty elements (RFC 9110, section 5.6.1.2).
    if (text === '') continue;
    count += 1;
    if (count > maxRanges) return { kind: 'too-many' };
    const asked = parseMember(text, size);
    if (asked === undefined) return { kind: 'none' };
    const end = Math.min(asked.end, size);
    if (asked.start < end) ranges.push({ ...asked, end });
  }
  if (members.length === maxMembers) return { kind: 'too-many' };
  if (count === 0) return { kind: 'none' };
  return ranges.length === 0 ? { kind: 'unsatisfiable' } : { kind: 'ranges', ranges };
}

/** Empty elements count here, so that a header of nothing but commas costs no more than others. */
const maxMembers = 4 * maxRanges;

/** Not clamped to the end yet; `start >= end` where nothing satisfies it. */
function parseMember(text: string, size: number): ByteRange | undefined {
  const dash = text.indexOf('-');
  if (dash === -1) return undefined;
  const [first, last] = [text.slice(0, dash), text.slice(dash + 1)];
  if (first === '') {
    const length = parsePosition(last);
    return length === undefined
      ? undefined
      : { start: Math.max(0, size - length), end: size, openEnded: false };
  }
  const start = parsePosition(first);
  if (start === undefined) return undefined;
  if (last === '') return { start, end: size, openEnded: true };
  const inclusive = parsePosition(last);
  return inclusive === undefined ? undefined : { start, end: inclusive + 1, openEnded: false };
}

/** Beyond 2^53 all numbers mean the same here: further than any blob goes. */
function parsePosition(text: string): number | undefined {
  return isDigits(text) ? Math.min(Number(text), Number.MAX_SAFE_INTEGER - 1) : undefined;
}

function isDigits(text: string): boolean {
  return /^[0-9]+$/.test(text);
}

/** OWS (RFC 9110, section 5.6.3). A loop, since a search for blanks at the end looks at inner ones again and again. */
function trimBlanks(text: string): string {
  let [start, end] = [0, text.length];
  while (start < end && isBlank(text[start])) start += 1;
  while (end > start && isBlank(text[end - 1])) end -= 1;
  return text.slice(start, end);
}

function isBlank(character: string | undefined): boolean {
  return character === ' ' || character === '\t';
}

/** Which bytes an answer carries: `bytes 0-99/1000`, where `size` is `undefined` for `*`. */
export interface ContentRange {
  readonly start: number;
  readonly end: number;
  readonly size: number | undefined;
}

/** RFC 9110, section 14.4; `undefined` also for the form of a 416, which carries no bytes. */
export function parseContentRange(value: string): ContentRange | undefined {
  const match = /^bytes +([0-9]{1,16})-([0-9]{1,16})\/([0-9]{1,16}|\*)$/i.exec(value);
  if (match === null) return undefined;
  const [, first = '', last = '', whole = ''] = match;
  const range = inclusiveRange(first, last);
  const size = whole === '*' ? undefined : Number(whole);
  if (range === undefined || (size !== undefined && (!Number.isSafeInteger(size) || range.end > size)))
    return undefined;
  return { ...range, size };
}

export function formatContentRange(range: ContentRange): string {
  return `bytes ${range.start}-${range.end - 1}/${range.size ?? '*'}`;
}

/** The `Content-Range` of a 416. */
export function formatUnsatisfiedRange(size: number): string {
  return `bytes */${size}`;
}

/**
 * The `Content-Range` of an uploaded chunk and the `Range` of the answer to it: `0-99` (distribution-spec), or `bytes=0-99`
 * as some registries send it. Note that `0-0` stands for one byte, and with some registries for none.
 */
export function parseChunkRange(value: string): { readonly start: number; readonly end: number } | undefined {
  const match = /^(?:bytes=)?([0-9]{1,16})-([0-9]{1,16})$/.exec(value);
  return match === null ? undefined : inclusiveRange(match[1] ?? '', match[2] ?? '');
}

function inclusiveRange(first: string, last: string): { start: number; end: number } | undefined {
  const [start, end] = [Number(first), Number(last) + 1];
  return Number.isSafeInteger(end) && start < end ? { start, end } : undefined;
}
