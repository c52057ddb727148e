const maxCauses = 5;

/** The message and what caused it; the stack as well where the error has no code, since nobody foresaw it. */
export function describeFailure(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const text = messagesOf(error);
  return 'code' in error ? text : `${text}\n${error.stack ?? ''}`;
}

/** The message and what caused it. */
export function messagesOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const messages = [error.message];
  let cause = error.cause;
  while (cause instanceof Error && messages.length <= maxCauses) {
    messages.push(cause.message);
    cause = cause.cause;
  }
  return messages.join(': ');
}
