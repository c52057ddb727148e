import { textField } from './json-value.ts';

/** image-spec, image-index.md: `os` and `architecture` as GOOS and GOARCH, `unknown/unknown` for attestations. */
export interface Platform {
  readonly os: string;
  readonly architecture: string;
  /** Of the CPU, such as `v8`. */
  readonly variant?: string;
  readonly osVersion?: string;
}

const grammar = /^[A-Za-z0-9_.-]{1,64}\/[A-Za-z0-9_.-]{1,64}(?:\/[A-Za-z0-9_.-]{1,64})?$/;

/** Reads `linux/amd64`, `linux/arm64/v8`; `undefined` for anything else. Case does not matter. */
export function parsePlatform(text: string): Platform | undefined {
  if (!grammar.test(text)) return undefined;
  const [os = '', architecture = '', variant] = text.toLowerCase().split('/');
  return { os, architecture, ...(variant === undefined ? {} : { variant }) };
}

/** `os/architecture[/variant]`; the version of the OS has no place in it. */
export function formatPlatform(platform: Platform): string {
  const base = `${platform.os}/${platform.architecture}`;
  return platform.variant === undefined ? base : `${base}/${platform.variant}`;
}

/** The `platform` of a descriptor; `undefined` where it lacks what the specification requires. */
export function platformFromJson(json: unknown): Platform | undefined {
  const os = textField(json, 'os');
  const architecture = textField(json, 'architecture');
  if (os === undefined || architecture === undefined) return undefined;
  const variant = textField(json, 'variant');
  const osVersion = textField(json, 'os.version');
  return {
    os,
    architecture,
    ...(variant === undefined ? {} : { variant }),
    ...(osVersion === undefined ? {} : { osVersion }),
  };
}
