import assert from 'node:assert/strict';

/** A half-open run of positions: `start` inclusive, `end` exclusive, `start < end`. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

/**
 * A set of positions, kept as disjoint spans in ascending order that never touch. Adding at the end of the last span,
 * what a download does for each chunk, takes constant time; anything else a binary search and a splice.
 * Arguments where `start === end` are allowed and empty: they add nothing, are always covered, miss nothing.
 */
export class RangeSet {
  readonly #spans: Span[] = [];
  #totalBytes = 0;

  static from(spans: Iterable<Span>): RangeSet {
    const set = new RangeSet();
    for (const span of spans) set.add(span);
    return set;
  }

  /** A live view: it follows later calls of `add`. */
  get spans(): readonly Span[] {
    return this.#spans;
  }

  get totalBytes(): number {
    return this.#totalBytes;
  }

  get isEmpty(): boolean {
    return this.#spans.length === 0;
  }

  add(span: Span): void {
    assertBounds(span);
    if (span.start === span.end) return;
    const last = this.#spans.at(-1);
    if (last === undefined || span.start > last.end) {
      this.#spans.push({ start: span.start, end: span.end });
      this.#totalBytes += span.end - span.start;
    } else if (span.start >= last.start) {
      if (span.end <= last.end) return;
      this.#spans[this.#spans.length - 1] = { start: last.start, end: span.end };
      this.#totalBytes += span.end - last.end;
    } else {
      this.#merge(span);
    }
  }

  covers(span: Span): boolean {
    assertBounds(span);
    return span.start === span.end || this.contiguousEnd(span.start) >= span.end;
  }

  /** End of the run of present positions that `from` lies in; `from` itself when that position is absent. */
  contiguousEnd(from: number): number {
    const span = this.#spans[this.#firstEndingAfter(from)];
    return span !== undefined && span.start <= from ? span.end : from;
  }

  /** The absent parts of `within`, in ascending order. */
  missing(within: Span): Span[] {
    assertBounds(within);
    const gaps: Span[] = [];
    let position = within.start;
    for (let index = this.#firstEndingAfter(position); position < within.end; index += 1) {
      const span = this.#spans[index];
      const gapEnd = Math.min(span?.start ?? within.end, within.end);
      if (position < gapEnd) gaps.push({ start: position, end: gapEnd });
      position = span?.end ?? within.end;
    }
    return gaps;
  }

  clone(): RangeSet {
    return RangeSet.from(this.#spans);
  }

  toJSON(): readonly Span[] {
    return [...this.#spans];
  }

  /** Replaces every span that `span` overlaps or touches by their union. */
  #merge(span: Span): void {
    const first = this.#firstEndingAfter(span.start - 1);
    let next = first;
    let { start, end } = span;
    for (;;) {
      const touched = this.#spans[next];
      if (touched === undefined || touched.start > span.end) break;
      start = Math.min(start, touched.start);
      end = Math.max(end, touched.end);
      this.#totalBytes -= touched.end - touched.start;
      next += 1;
    }
    this.#spans.splice(first, next - first, { start, end });
    this.#totalBytes += end - start;
  }

  /** Index of the first span whose end is beyond `position`; the number of spans when there is none. */
  #firstEndingAfter(position: number): number {
    let low = 0;
    let high = this.#spans.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const span = this.#spans[middle];
      if (span !== undefined && span.end <= position) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

function assertBounds({ start, end }: Span): void {
  assert(
    Number.isSafeInteger(start) && Number.isSafeInteger(end) && start >= 0 && start <= end,
    `not a span: [${start}, ${end})`,
  );
}
