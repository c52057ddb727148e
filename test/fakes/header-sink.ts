import type { IncomingHttpHeaders } from 'node:http';
import type { TLSSocket } from 'node:tls';
import { FakeListener, type ListenerOptions } from './fake-listener.ts';

export interface SunkRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
  /** Whether the client showed a certificate. */
  readonly clientCertificate: boolean;
}

/** Stands where no secret may arrive: answers everything with the same bytes and keeps all it was told. */
export class HeaderSink {
  readonly requests: SunkRequest[] = [];
  readonly listener: FakeListener;
  /** What it answers with. */
  answer: { status: number; headers: Record<string, string>; body: Uint8Array | string };

  constructor(options: ListenerOptions = {}) {
    this.answer = { status: 200, headers: {}, body: '' };
    this.listener = new FakeListener((request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        const certificate = (request.socket as Partial<TLSSocket>).getPeerCertificate?.();
        this.requests.push({
          method: request.method ?? '',
          path: request.url ?? '',
          headers: request.headers,
          body: Buffer.concat(chunks).toString(),
          clientCertificate: certificate !== undefined && Object.keys(certificate).length > 0,
        });
        const body = Buffer.from(this.answer.body);
        response.writeHead(this.answer.status, { 'content-length': body.length, ...this.answer.headers });
        response.end(request.method === 'HEAD' ? undefined : body);
      });
    }, options);
  }

  get origin(): string {
    return this.listener.origin;
  }

  /** All it ever saw, as one text to look for secrets in. */
  get everything(): string {
    return JSON.stringify(this.requests);
  }

  async start(): Promise<void> {
    await this.listener.start();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.listener.stop();
  }
}
