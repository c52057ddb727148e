/** Longer ones are cut: a request line may have 16 KiB. */
const maxUrlLength = 2048;

/** Parameters that carry secrets: of token services, OAuth, presigned URLs and their many spellings. */
const secretName =
  /token|secret|passw|signature|credential|api-?key|^(?:sig|code|key|auth|authorization|assertion)$/i;

/** The URL for a log: the values of parameters whose names sound like secrets are removed. */
export function redactUrl(url: string): string {
  const shown = url.length > maxUrlLength ? `${url.slice(0, maxUrlLength)}...` : url;
  const mark = shown.indexOf('?');
  if (mark < 0) return shown;
  const parameters = shown.slice(mark + 1).split('&');
  return `${shown.slice(0, mark)}?${parameters.map(redactParameter).join('&')}`;
}

function redactParameter(parameter: string): string {
  const equals = parameter.indexOf('=');
  if (equals < 0) return parameter;
  const name = parameter.slice(0, equals);
  return secretName.test(decodeName(name)) ? `${name}=REDACTED` : parameter;
}

function decodeName(name: string): string {
  try {
    return decodeURIComponent(name);
  } catch {
    // Malformed escapes: the name is shown, and judged, as it came.
    return name;
  }
}
