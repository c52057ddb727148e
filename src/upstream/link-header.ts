/** Each `<target>` with the parameters behind it, up to the next comma outside of quotes. */
const linkValue = /<([^<>]*)>((?:[^,"<]|"(?:[^"\\]|\\.)*")*)/g;
const relation = /;\s*rel\s*=\s*(?:"([^"]*)"|([^\s;,"]+))/i;

const maxFieldLength = 16 * 1024;

/** The target of the first link whose relations include `next` (RFC 8288, section 3), as written. */
export function nextLink(fields: readonly string[]): string | undefined {
  for (const field of fields) {
    for (const [, target, parameters = ''] of field.slice(0, maxFieldLength).matchAll(linkValue)) {
      const found = relation.exec(parameters);
      const relations = (found?.[1] ?? found?.[2] ?? '').toLowerCase().split(/\s+/);
      if (relations.includes('next')) return target;
    }
  }
  return undefined;
}
