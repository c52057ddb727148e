import type { z } from 'zod';
import { hostPort, path } from './field-kinds.ts';
import { choice, list, section } from './field.ts';
import { registryName } from './registry-fields.ts';

export const listenerTlsSchema = section(
  'TLS of a mirror listener; without it, it speaks plain HTTP. TLS 1.2 and newer. Changed files are in use within 10 seconds, without a restart; open connections go on.',
  {
    cert: path('PEM file with the certificate, followed by the intermediate ones.'),
    key: path('PEM file with its key.'),
    clientCa: path(
      'PEM file with the authorities that sign the certificates of clients. Without it clients are not asked for any.',
    ).optional(),
    clientCert: choice(
      'With `clientCa`: `require` turns away clients without a certificate, `request` serves them too. A certificate of another authority is turned away by both. Default: `require`.',
      ['require', 'request'],
    ).optional(),
  },
);

export const listenersSchema = list(
  'Further listeners, besides the one of `listen`.',
  section('A further listener.', {
    listen: hostPort('Where it listens.'),
    mode: choice('What it is for: `mirror`, for clients.', ['mirror']).prefault('mirror'),
    defaultUpstream: registryName(
      'The upstream for names without a registry. Default: the first of `upstreams`.',
    ).optional(),
    tls: listenerTlsSchema.optional(),
  }),
)
  .max(32)
  .prefault([]);

export type ListenerTlsConfig = z.output<typeof listenerTlsSchema>;
export type ListenerConfig = z.output<typeof listenersSchema>[number];
