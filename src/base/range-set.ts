/** A half-open run of positions: `start` inclusive, `end` exclusive, `start < end`. */
export interface Span {
  readonly start: number;
  readonly end: number;
}
