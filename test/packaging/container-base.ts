import { readFile, writeFile } from 'node:fs/promises';
import type { Dockerd } from '../programs/dockerd.ts';
import { runCommand } from '../programs/run-command.ts';
import { tarArchive, type TarMember } from '../programs/tar-archive.ts';

export interface ContainerBase {
  readonly name: string;
  /** Where the archive of its files is written. */
  readonly archive: string;
  /** What has to run on it. */
  readonly program: string;
}

/** Makes a base image of what Debian's packages on this machine bring and `program` is linked with: no shell among it. */
export async function importContainerBase(engine: Dockerd, base: ContainerBase): Promise<void> {
  const { stdout } = await runCommand('ldd', [base.program]);
  const libraries = [...stdout.matchAll(/(?:=> )?(\/\S+) \(0x/g)].map(([, file = '']) => file);
  const members: TarMember[] = [
    { kind: 'folder', name: 'tmp/' },
    { kind: 'file', name: 'etc/passwd', content: Buffer.from('root:x:0:0:root:/:/none\n') },
  ];
  for (const file of libraries) {
    members.push({ kind: 'file', name: file.slice(1), content: await readFile(file), executable: true });
  }
  await writeFile(base.archive, tarArchive(members));
  await engine.docker('import', base.archive, base.name);
}
