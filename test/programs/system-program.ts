import { accessSync, constants } from 'node:fs';
import path from 'node:path';

/** Programs of the machine that suites drive, and the Debian package that brings each one. */
export const packageOf = {
  'docker-registry': 'docker-registry',
  htpasswd: 'apache2-utils',
  openssl: 'openssl',
  busybox: 'busybox-static',
  docker: 'docker.io',
  dockerd: 'docker.io',
  containerd: 'containerd',
  ctr: 'containerd',
  runc: 'runc',
  podman: 'podman',
  buildah: 'buildah',
  skopeo: 'skopeo',
  unshare: 'util-linux',
  setpriv: 'util-linux',
  'systemd-analyze': 'systemd',
} as const;

export type SystemProgram = keyof typeof packageOf;

/** PATH for what the suites start: daemons are among the administrator's programs, which not every PATH names. */
export const searchPath = [process.env['PATH'] ?? '', '/usr/sbin', '/sbin'].join(path.delimiter);

/** Where a program is in `searchPath`. */
export function findProgram(program: SystemProgram): string | undefined {
  for (const folder of searchPath.split(path.delimiter)) {
    const file = path.join(folder, program);
    try {
      accessSync(file, constants.X_OK);
      return file;
    } catch {
      // Not in this folder: the next one.
    }
  }
  return undefined;
}
