import type { ApiError } from '../../protocol/admin-api.ts';

/** The edge answered that it can't or won't, or did not answer. The message is for the person at the terminal. */
export class AdminCallError extends Error {
  override readonly name = 'AdminCallError';
  readonly code: string;

  constructor(code: string, message: string, cause?: unknown) {
    super(message, { cause });
    this.code = code;
  }
}

export interface AdminClientOptions {
  /** Origin of the admin listener. */
  readonly url: string;
  readonly token: string | undefined;
}

export type AdminMethod = 'GET' | 'POST' | 'PUT' | 'DELETE';

/** What one call of the API may take that is no stream. */
const callTimeoutMs = 120_000;
const maxLineLength = 1024 * 1024;

/** Calls the admin API of one edge. Every method fails with AdminCallError. */
export class AdminClient {
  readonly #options: AdminClientOptions;

  constructor(options: AdminClientOptions) {
    this.#options = options;
  }

  /** `Answer` is what the API promises for that path; nothing of it is checked again. */
  async call<Answer>(method: AdminMethod, path: string, body?: object): Promise<Answer> {
    const response = await this.#send(method, path, { body, signal: AbortSignal.timeout(callTimeoutMs) });
    try {
      return (await response.json()) as Answer;
    } catch (error) {
      throw this.#noApi(error);
    }
  }

  /** The lines of a streamed answer as they come, parsed. */
  async *stream<Line>(path: string, body: object): AsyncGenerator<Line> {
    const response = await this.#send('POST', path, { body });
    const decoder = new TextDecoder();
    let rest = '';
    try {
      for await (const chunk of response.body ?? []) {
        rest += decoder.decode(chunk, { stream: true });
        const lines = rest.split('\n');
        rest = lines.pop() ?? '';
        if (rest.length > maxLineLength) throw this.#noApi(undefined);
        for (const line of lines) yield JSON.parse(line) as Line;
      }
    } catch (error) {
      if (error instanceof AdminCallError) throw error;
      throw new AdminCallError('BROKEN_OFF', 'the edge broke off its answer', error);
    }
  }

  async #send(
    method: AdminMethod,
    path: string,
    { body, signal }: { readonly body: object | undefined; readonly signal?: AbortSignal },
  ): Promise<Response> {
    const { token, url } = this.#options;
    const headers: Record<string, string> = { accept: 'application/json' };
    if (token !== undefined) headers['authorization'] = `Bearer ${token}`;
    if (body !== undefined) headers['content-type'] = 'application/json';
    let response: Response;
    try {
      response = await fetch(`${url}/api${path}`, {
        method,
        headers,
        // A token belongs to this address and to no other.
        redirect: 'error',
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        ...(signal === undefined ? {} : { signal }),
      });
    } catch (error) {
      const hint = 'is the edge running, and is this its admin listener?';
      throw new AdminCallError('UNREACHABLE', `no answer from ${url} (${hint})`, error);
    }
    if (response.ok) return response;
    throw await this.#refusal(response);
  }

  async #refusal(response: Response): Promise<AdminCallError> {
    let answer: Partial<ApiError>;
    try {
      answer = (await response.json()) as Partial<ApiError>;
    } catch (error) {
      return this.#noApi(error);
    }
    if (answer.error === undefined) return this.#noApi(undefined);
    const hint = response.status === 401 ? '; give it with --token-file' : '';
    return new AdminCallError(answer.error.code, `${answer.error.message}${hint}`);
  }

  #noApi(cause: unknown): AdminCallError {
    const message = `${this.#options.url} does not answer as the admin listener of an edge does`;
    return new AdminCallError('NO_API', message, cause);
  }
}

/** An image's name as a part of a path: slashes stay. */
export function pathOf(image: string): string {
  return image.split('/').map(encodeURIComponent).join('/');
}
