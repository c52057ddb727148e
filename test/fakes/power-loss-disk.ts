import { constants } from 'node:fs';
import type { DiskEntry, DiskFile, FileSystem, DiskStat } from '../../src/base/file-system.ts';

interface FileNode {
  bytes: Buffer;
  /** Content as of the last sync. */
  synced: Buffer;
}

interface FolderNode {
  readonly entries: Map<string, Node>;
  /** Entries as of the last sync of the folder. */
  synced: Map<string, Node>;
}

type Node = FileNode | FolderNode;

/** What the system had written by itself when the power went: nothing that was not synced, or everything. */
export interface PowerLoss {
  readonly entries: 'synced' | 'all';
  readonly data: 'synced' | 'all';
}

/**
 * A disk in memory that forgets what POSIX lets a disk forget: bytes of files that were not synced, and names in
 * folders that were not synced, each apart from the other. It can lose its power before any call that changes it.
 */
export class PowerLossDisk implements FileSystem {
  readonly #root: FolderNode;
  /** Changing calls so far. */
  changes = 0;
  /** From the call of this number on everything fails with EIO. */
  failAtChange = Number.POSITIVE_INFINITY;

  constructor(root: FolderNode = newFolder()) {
    this.#root = root;
  }

  /** The disk when the power is back. */
  afterPowerLoss(loss: PowerLoss): PowerLossDisk {
    const copies = new Map<Node, Node>();
    const copyOf = (node: Node): Node => {
      const known = copies.get(node);
      if (known !== undefined) return known;
      const copy = isFolder(node) ? newFolder() : fileWith(loss.data === 'all' ? node.bytes : node.synced);
      copies.set(node, copy);
      if (isFolder(node) && isFolder(copy)) {
        for (const [name, child] of loss.entries === 'all' ? node.entries : node.synced) {
          copy.entries.set(name, copyOf(child));
          copy.synced.set(name, copyOf(child));
        }
      }
      return copy;
    };
    return new PowerLossDisk(copyOf(this.#root) as FolderNode);
  }

  async open(path: string, flags: string | number): Promise<DiskFile> {
    const { folder, name } = this.#locate(path);
    let node = path === '/' ? this.#root : folder.entries.get(name);
    const creates = flags === 'wx' || (typeof flags === 'number' && (flags & constants.O_CREAT) !== 0);
    if (node !== undefined && flags === 'wx') throw errno('EEXIST', 'open');
    if (node === undefined && !creates) throw errno('ENOENT', 'open');
    if (node === undefined) {
      this.#change();
      node = fileWith(Buffer.alloc(0), Buffer.alloc(0));
      folder.entries.set(name, node);
    }
    return this.#handle(node);
  }

  async mkdir(path: string, options: { readonly recursive?: boolean }): Promise<string | undefined> {
    if (options.recursive === true) {
      let first: string | undefined;
      const parts = path.split('/').slice(1);
      for (const [index] of parts.entries()) {
        const prefix = `/${parts.slice(0, index + 1).join('/')}`;
        const { folder, name } = this.#locate(prefix);
        if (folder.entries.has(name)) continue;
        await this.mkdir(prefix, {});
        first ??= prefix;
      }
      return first;
    }
    const { folder, name } = this.#locate(path);
    if (folder.entries.has(name)) throw errno('EEXIST', 'mkdir');
    this.#change();
    folder.entries.set(name, newFolder());
    return undefined;
  }

  async rename(from: string, to: string): Promise<void> {
    const source = this.#locate(from);
    const target = this.#locate(to);
    const node = source.folder.entries.get(source.name);
    if (node === undefined) throw errno('ENOENT', 'rename');
    this.#change();
    source.folder.entries.delete(source.name);
    target.folder.entries.set(target.name, node);
  }

  async unlink(path: string): Promise<void> {
    const { folder, name } = this.#locate(path);
    if (!folder.entries.has(name)) throw errno('ENOENT', 'unlink');
    this.#change();
    folder.entries.delete(name);
  }

  async stat(path: string): Promise<DiskStat> {
    const { folder, name } = this.#locate(path);
    const node = folder.entries.get(name);
    if (node === undefined) throw errno('ENOENT', 'stat');
    return statOf(node);
  }

  async statfs(): ReturnType<FileSystem['statfs']> {
    return { bsize: 4096, blocks: 1_000_000, bavail: 900_000 };
  }

  async opendir(path: string): Promise<AsyncIterable<DiskEntry>> {
    const { folder, name } = this.#locate(path);
    const node = folder.entries.get(name);
    if (node === undefined) throw errno('ENOENT', 'opendir');
    if (!isFolder(node)) throw errno('ENOTDIR', 'opendir');
    const entries = [...node.entries].map(([name, child]) => ({ name, isDirectory: () => isFolder(child) }));
    return (async function* list() {
      yield* entries;
    })();
  }

  #handle(node: Node): DiskFile {
    const sync = async (): Promise<void> => {
      this.#change();
      if (isFolder(node)) node.synced = new Map(node.entries);
      else node.synced = Buffer.from(node.bytes);
    };
    const file = isFolder(node) ? fileWith(Buffer.alloc(0)) : node;
    return {
      read: async (into, offset, length, position) => ({
        bytesRead: file.bytes.copy(into, offset, position, Math.min(position + length, file.bytes.length)),
      }),
      writev: async (chunks, position) => {
        this.#change();
        const bytes = Buffer.concat(chunks);
        const size = Math.max(file.bytes.length, position + bytes.length);
        file.bytes = Buffer.concat([file.bytes, Buffer.alloc(size - file.bytes.length)]);
        bytes.copy(file.bytes, position);
        return { bytesWritten: bytes.length };
      },
      stat: async () => statOf(file),
      truncate: async (length) => {
        this.#change();
        file.bytes = Buffer.concat([
          file.bytes.subarray(0, length),
          Buffer.alloc(Math.max(0, length - file.bytes.length)),
        ]);
      },
      chmod: async () => undefined,
      datasync: sync,
      sync,
      close: async () => undefined,
    };
  }

  #change(): void {
    this.changes += 1;
    if (this.changes >= this.failAtChange) throw errno('EIO', 'write');
  }

  #locate(path: string): { folder: FolderNode; name: string } {
    const parts = path.split('/').filter((part) => part !== '');
    const name = parts.pop() ?? '';
    let folder = this.#root;
    for (const part of parts) {
      const node = folder.entries.get(part);
      if (node === undefined) throw errno('ENOENT', 'open');
      if (!isFolder(node)) throw errno('ENOTDIR', 'open');
      folder = node;
    }
    return { folder, name };
  }
}

/** A system call's error, as Node makes them. */
export function errno(code: string, syscall: string): Error {
  return Object.assign(new Error(`${code}: ${syscall}`), { code, syscall });
}

function newFolder(): FolderNode {
  return { entries: new Map(), synced: new Map() };
}

function fileWith(bytes: Buffer, synced: Buffer = bytes): FileNode {
  return { bytes: Buffer.from(bytes), synced: Buffer.from(synced) };
}

function isFolder(node: Node): node is FolderNode {
  return 'entries' in node;
}

function statOf(node: Node): DiskStat {
  const size = isFolder(node) ? 0 : node.bytes.length;
  return { size, blocks: Math.ceil(size / 512), atimeMs: 0, mtimeMs: 0 };
}
