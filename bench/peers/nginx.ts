import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { freePort } from '../../test/programs/free-port.ts';
import { ProcessGroup } from '../../test/programs/process-group.ts';

export interface NginxOptions {
  /** Configuration, logs and temporary files lie here. */
  readonly folder: string;
  /** Lines of its `server` block. */
  readonly server: string;
  /** Whether each answer is logged, as `method status bytes path`, in `access.log`. */
  readonly accessLog: boolean;
  /** Gives it a network of its own, in which it listens on every address, and one process alone. */
  readonly ownNetwork?: boolean;
}

/** nginx with a configuration of its own; nothing of the machine's is read. */
export class Nginx {
  readonly port: number;
  readonly url: string;
  readonly process: ProcessGroup;

  private constructor(port: number, process: ProcessGroup) {
    this.port = port;
    this.url = `http://127.0.0.1:${port}`;
    this.process = process;
  }

  static async start(options: NginxOptions): Promise<Nginx> {
    const { folder, ownNetwork = false } = options;
    await mkdir(folder, { recursive: true });
    const port = await freePort();
    const configFile = path.join(folder, 'nginx.conf');
    await writeFile(configFile, configuration(options, ownNetwork ? String(port) : `127.0.0.1:${port}`));
    const args = ['-p', folder, '-e', path.join(folder, 'error.log'), '-c', configFile];
    const group = ownNetwork
      ? ProcessGroup.start({ name: 'nginx', command: 'unshare', args: ['--net', 'nginx', ...args] })
      : ProcessGroup.start({ name: 'nginx', command: 'nginx', args, contained: true });
    if (!ownNetwork) await group.waitForPort(port, 10_000);
    return new Nginx(port, group);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.process.stop();
  }
}

function configuration({ folder, server, accessLog, ownNetwork }: NginxOptions, listen: string): string {
  return `daemon off;
user root;
pid ${folder}/nginx.pid;
${ownNetwork === true ? 'master_process off;' : 'worker_processes auto;'}
events { worker_connections 4096; }
http {
  log_format short '$request_method $status $body_bytes_sent $uri';
  access_log ${accessLog ? `${folder}/access.log short` : 'off'};
  keepalive_requests 1000000000;
  tcp_nopush on;
  open_file_cache max=1000 inactive=60s;
  client_body_temp_path ${folder}/body;
  proxy_temp_path ${folder}/proxy;
  fastcgi_temp_path ${folder}/fastcgi;
  uwsgi_temp_path ${folder}/uwsgi;
  scgi_temp_path ${folder}/scgi;
  server {
    listen ${listen} backlog=4096;
${server}
  }
}
`;
}
