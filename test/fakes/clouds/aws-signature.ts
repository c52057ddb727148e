import { createHash, createHmac } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';

export interface SignedRequest {
  readonly method: string;
  /** With its query. */
  readonly target: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

export interface SignatureRules {
  readonly region: string;
  readonly service: string;
  readonly nowMs: number;
  /** The secret of a key id, and the session token that must come with it. */
  readonly keyOf: (id: string) => { readonly secret: string; readonly sessionToken?: string } | undefined;
}

const credentialField =
  /^AWS4-HMAC-SHA256 Credential=([^/]+)\/(\d{8})\/([^/]+)\/([^/]+)\/aws4_request, ?SignedHeaders=([^,]+), ?Signature=([0-9a-f]{64})$/;

/** AWS refuses dates that are further from its own clock than this. */
const maxSkewMs = 5 * 60_000;

/**
 * Checks a request as AWS does: Signature Version 4 is computed again from the key's secret. The name of AWS's error
 * where something is wrong.
 */
export function signatureError(request: SignedRequest, rules: SignatureRules): string | undefined {
  const match = credentialField.exec(request.headers.authorization ?? '');
  if (match === null) return 'MissingAuthenticationTokenException';
  const [, id = '', day = '', region = '', service = '', signedNames = '', signature = ''] = match;
  const key = rules.keyOf(id);
  if (key === undefined) return 'UnrecognizedClientException';
  if (request.headers['x-amz-security-token'] !== key.sessionToken) return 'UnrecognizedClientException';
  if (region !== rules.region || service !== rules.service) return 'InvalidSignatureException';
  const date = String(request.headers['x-amz-date'] ?? '');
  if (!date.startsWith(day)) return 'InvalidSignatureException';
  if (Math.abs(parseDate(date) - rules.nowMs) > maxSkewMs) return 'InvalidSignatureException';
  const names = signedNames.split(';');
  const required = ['host', 'x-amz-date', ...Object.keys(request.headers).filter(mustBeSigned)];
  if (required.some((name) => !names.includes(name))) return 'InvalidSignatureException';
  const scope = `${day}/${region}/${service}/aws4_request`;
  const text = ['AWS4-HMAC-SHA256', date, scope, sha256(canonical(request, names))].join('\n');
  const signingKey = [region, service, 'aws4_request'].reduce(
    (secret: Buffer, part) => hmac(secret, part),
    hmac(Buffer.from(`AWS4${key.secret}`), day),
  );
  return hmac(signingKey, text).toString('hex') === signature ? undefined : 'InvalidSignatureException';
}

function canonical({ method, target, headers, body }: SignedRequest, names: readonly string[]): string {
  const url = new URL(target, 'http://aws');
  const query = [...url.searchParams].map((pair) => pair.map(encodeURIComponent).join('=')).toSorted();
  const fields = names.map((name) => `${name}:${String(headers[name] ?? '').trim()}\n`);
  return [method, url.pathname, query.join('&'), fields.join(''), names.join(';'), sha256(body)].join('\n');
}

function mustBeSigned(name: string): boolean {
  return name.startsWith('x-amz-') || name === 'content-type';
}

/** `20260102T030405Z` */
function parseDate(date: string): number {
  return Date.parse(date.replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/, '$1-$2-$3T$4:$5:$6Z'));
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

function hmac(key: Buffer, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest();
}
