import { isIPv6 } from 'node:net';

/** Counts what is open by the address it comes from, so that one address cannot take all of a listener. */
export class AddressLimit {
  readonly #max: number;
  readonly #open = new Map<string, { count: number; told: boolean }>();

  constructor(max: number) {
    this.#max = max;
  }

  /** Addresses that have something open. */
  get size(): number {
    return this.#open.size;
  }

  /**
   * `refused` names the first one over the limit since the address had at most half of it, `refused-again` all further ones, so
   * that a flood is not a flood of log lines. Only an `admitted` one is given back by `leave`.
   */
  enter(address: string): 'admitted' | 'refused' | 'refused-again' {
    const key = addressKey(address);
    const entry = this.#open.get(key) ?? { count: 0, told: false };
    if (entry.count >= this.#max) {
      const outcome = entry.told ? 'refused-again' : 'refused';
      entry.told = true;
      return outcome;
    }
    entry.count += 1;
    this.#open.set(key, entry);
    return 'admitted';
  }

  leave(address: string): void {
    const key = addressKey(address);
    const entry = this.#open.get(key);
    if (entry === undefined) return;
    entry.count -= 1;
    if (entry.count <= this.#max / 2) entry.told = false;
    if (entry.count <= 0) this.#open.delete(key);
  }
}

/** Whoever has one IPv6 address has a network of them: the first 64 bits count (RFC 4291, 2.5.4). */
function addressKey(address: string): string {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1];
  if (mapped !== undefined || !isIPv6(address)) return mapped ?? address;
  const [plain = ''] = address.split('%', 1);
  const [head = '', tail] = plain.split('::', 2);
  const groups = head === '' ? [] : head.split(':');
  const missing = tail === undefined ? 0 : 8 - groups.length - (tail === '' ? 0 : tail.split(':').length);
  const all = [...groups, ...Array.from({ length: missing }, () => '0'), ...(tail ?? '').split(':')];
  return all
    .slice(0, 4)
    .map((group) => Number.parseInt(group, 16).toString(16))
    .join(':');
}
