import assert from 'node:assert/strict';

/** One member of an archive: a file with its content, a symbolic link, or a folder. */
export type TarMember =
  | {
      readonly kind: 'file';
      readonly name: string;
      readonly content: Uint8Array;
      readonly executable?: boolean;
    }
  | { readonly kind: 'link'; readonly name: string; readonly target: string }
  | { readonly kind: 'folder'; readonly name: string };

const blockBytes = 512;

/** A ustar archive (POSIX.1-1988), owned by root, with all times 0, so that equal members give equal bytes. */
export function tarArchive(members: readonly TarMember[]): Buffer {
  const parts: Uint8Array[] = [];
  for (const member of members) {
    const content = member.kind === 'file' ? member.content : new Uint8Array();
    parts.push(header(member, content.length), content);
    const overhang = content.length % blockBytes;
    if (overhang > 0) parts.push(new Uint8Array(blockBytes - overhang));
  }
  parts.push(new Uint8Array(2 * blockBytes));
  return Buffer.concat(parts);
}

function header(member: TarMember, size: number): Buffer {
  const block = Buffer.alloc(blockBytes);
  const text = (offset: number, value: string): void => void block.write(value, offset, 'ascii');
  const octal = (offset: number, digits: number, value: number): void =>
    text(offset, `${value.toString(8).padStart(digits, '0')}\0`);
  assert(member.name.length <= 100, 'the name fits the field without a prefix');
  text(0, member.name);
  octal(100, 7, member.kind === 'folder' || (member.kind === 'file' && member.executable) ? 0o755 : 0o644);
  octal(108, 7, 0);
  octal(116, 7, 0);
  octal(124, 11, size);
  octal(136, 11, 0);
  text(148, ' '.repeat(8));
  text(156, { file: '0', link: '2', folder: '5' }[member.kind]);
  if (member.kind === 'link') text(157, member.target);
  text(257, 'ustar\0');
  text(263, '00');
  const checksum = block.reduce((sum, byte) => sum + byte, 0);
  text(148, `${checksum.toString(8).padStart(6, '0')}\0 `);
  return block;
}
