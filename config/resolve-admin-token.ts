import type { ConfigIo } from './config-io.ts';
import type { WrittenEdge } from './edge-schema.ts';
import type { Report } from './problems.ts';
import { readSecret } from './read-secret.ts';
import type { Secret } from './secret.ts';

/** Shorter ones can be tried out. */
const minTokenLength = 16;

const forms = ['adminToken', 'adminTokenFile', 'adminTokenEnv'] as const;

type WrittenAdmin = { readonly [Key in (typeof forms)[number]]?: WrittenEdge[Key] };

/** Reads the admin token, whichever form it has. Reports what is wrong. */
export function resolveAdminToken(
  written: WrittenAdmin,
  { io, report }: { readonly io: ConfigIo; readonly report: Report },
): Secret | undefined {
  const given = forms.filter((form) => written[form] !== undefined);
  const [form] = given;
  if (form === undefined) return undefined;
  if (given.length > 1) {
    report([form], `is one of several forms, ${given.join(', ')}: keep one`);
    return undefined;
  }
  const value = written[form];
  const token = value === undefined ? undefined : readSecret(value, form, { io, report, path: [] })?.value;
  if (token === undefined) return undefined;
  const text = token.reveal();
  if (text.length < minTokenLength) report([form], `is shorter than ${minTokenLength} characters`);
  if (!/^[\x21-\x7e]+$/.test(text))
    report([form], 'holds what no header can carry: spaces or letters beyond ASCII');
  return token;
}
