import { Nginx } from './nginx.ts';

/** Two ways of tuning nginx for large files; which is faster depends on the machine. */
export const fileServing = {
  sendfile: 'sendfile on;',
  buffers: 'sendfile off; output_buffers 2 512k;',
} as const;

export interface FileServerOptions {
  readonly folder: string;
  /** What it serves, below `/`. */
  readonly files: string;
  readonly serving: keyof typeof fileServing;
}

/** nginx serving files, its access log off. */
export function startFileServer({ folder, files, serving }: FileServerOptions): Promise<Nginx> {
  const server = `    root ${files};\n    default_type application/octet-stream;\n    ${fileServing[serving]}`;
  return Nginx.start({ folder, server, accessLog: false });
}
