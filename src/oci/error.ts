/** Error codes of distribution-spec (errors), and those that registries send besides, with the status each one has. */
const table = {
  BLOB_UNKNOWN: { status: 404, message: 'blob unknown to registry' },
  BLOB_UPLOAD_INVALID: { status: 400, message: 'blob upload invalid' },
  BLOB_UPLOAD_UNKNOWN: { status: 404, message: 'blob upload unknown to registry' },
  DENIED: { status: 403, message: 'requested access to the resource is denied' },
  DIGEST_INVALID: { status: 400, message: 'provided digest did not match uploaded content or is malformed' },
  MANIFEST_BLOB_UNKNOWN: {
    status: 404,
    message: 'manifest references a manifest or blob unknown to registry',
  },
  MANIFEST_INVALID: { status: 400, message: 'manifest invalid' },
  MANIFEST_UNKNOWN: { status: 404, message: 'manifest unknown to registry' },
  NAME_INVALID: { status: 400, message: 'invalid repository name' },
  NAME_UNKNOWN: { status: 404, message: 'repository name not known to registry' },
  PAGINATION_NUMBER_INVALID: { status: 400, message: 'invalid number of results requested' },
  RANGE_INVALID: { status: 416, message: 'requested range cannot be satisfied' },
  REQUEST_INVALID: { status: 400, message: 'malformed request' },
  SIZE_INVALID: { status: 400, message: 'provided length did not match content length' },
  TAG_INVALID: { status: 400, message: 'invalid tag or reference' },
  TOOMANYREQUESTS: { status: 429, message: 'too many requests' },
  UNAUTHORIZED: { status: 401, message: 'authentication required' },
  UNAVAILABLE: { status: 503, message: 'service temporarily unavailable' },
  UNKNOWN: { status: 500, message: 'internal error' },
  UNSUPPORTED: { status: 405, message: 'the operation is unsupported' },
} as const;

export type OciErrorCode = keyof typeof table;

export const ociErrorCodes: Readonly<
  Record<OciErrorCode, { readonly status: number; readonly message: string }>
> = table;

export interface OciErrorOptions {
  /** Shown to the client as `detail`: short, free of secrets, JSON. */
  readonly detail?: unknown;
  /** Header fields that belong to the answer, such as `Retry-After`, `Content-Range` or `Allow`. */
  readonly headers?: Readonly<Record<string, string>>;
  readonly cause?: unknown;
}

/** An answer to the client in the protocol's own form. `status` follows from the code, nothing else sets it. */
export class OciError extends Error {
  override readonly name = 'OciError';
  readonly code: OciErrorCode;
  readonly detail: unknown;
  readonly headers: Readonly<Record<string, string>>;

  constructor(code: OciErrorCode, options: OciErrorOptions = {}) {
    super(table[code].message, { cause: options.cause });
    this.code = code;
    this.detail = options.detail;
    this.headers = options.headers ?? {};
  }

  get status(): number {
    return table[this.code].status;
  }

  /** The body that distribution-spec prescribes for errors. */
  toJSON(): { errors: [{ code: OciErrorCode; message: string; detail?: unknown }] } {
    const detail = this.detail === undefined ? {} : { detail: this.detail };
    return { errors: [{ code: this.code, message: this.message, ...detail }] };
  }
}
