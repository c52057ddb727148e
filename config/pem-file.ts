import { readFailure, type ConfigIo } from './config-io.ts';
import type { KeyPath, Report } from './problems.ts';

/** Reports a file that cannot be read or holds no PEM (RFC 7468), so that it shows at start and not at the first use. */
export function checkPemFile(
  file: string,
  { io, path, report }: { readonly io: ConfigIo; readonly path: KeyPath; readonly report: Report },
): void {
  try {
    if (!io.readText(file).includes('-----BEGIN ')) report(path, `${file} is not a PEM file`);
  } catch (error) {
    report(path, `cannot read ${file}: ${readFailure(error)}`);
  }
}
