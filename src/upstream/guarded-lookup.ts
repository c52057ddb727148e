import { lookup as resolve } from 'node:dns';
import type { LookupFunction } from 'node:net';
import { isPrivateAddress } from './private-address.ts';

/** A name resolved to an address that strangers must not send this node to. */
export class PrivateAddressError extends Error {
  override readonly name = 'PrivateAddressError';
  readonly code = 'PRIVATE_ADDRESS';
}

/**
 * The system's lookup, which fails with PrivateAddressError when any answer is private and `allowPrivate` says no. The
 * connection is made to the very addresses that were judged, so that a name cannot change in between (DNS rebinding).
 */
export function guardedLookup(allowPrivate: () => boolean): LookupFunction {
  return (hostname, options, callback) => {
    resolve(hostname, { ...options, all: true }, (error, addresses) => {
      if (error !== null) {
        callback(error, '', 0);
        return;
      }
      const [first] = addresses;
      const refused = allowPrivate() ? undefined : addresses.find(({ address }) => isPrivateAddress(address));
      if (refused !== undefined || first === undefined) {
        const why =
          refused === undefined
            ? 'resolves to nothing'
            : `resolves to a private address (see allowPrivateTargets)`;
        callback(new PrivateAddressError(`${hostname} ${why}`), '', 0);
      } else if (options.all === true) {
        callback(null, addresses);
      } else {
        callback(null, first.address, first.family);
      }
    });
  };
}
