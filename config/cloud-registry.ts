/** A registry of one of the large clouds, as its host name tells. */
export type CloudRegistry =
  | {
      readonly type: 'ecr';
      readonly region: string;
      /** Reached at the endpoint that is FIPS 140 validated, or over IPv6. */
      readonly fips: boolean;
      readonly dualStack: boolean;
    }
  | { readonly type: 'ecr-public' }
  | { readonly type: 'google' }
  | { readonly type: 'azure' };

/**
 * Amazon ECR, "Private registry authentication" and "Endpoints": `<account>.dkr.ecr.<region>.amazonaws.com`, in China
 * `.amazonaws.com.cn`, with `ecr-fips`, and for IPv6 `<account>.dkr-ecr.<region>.on.aws`.
 */
const ecr =
  /^\d{12}\.dkr[.-]ecr(?<fips>-fips)?\.(?<region>[a-z]{2,}(?:-[a-z0-9]+)+)\.(?:(?<dualStack>on\.aws|on\.amazonwebservices\.com\.cn)|amazonaws\.com(?:\.cn)?)$/;

const patterns = [
  { type: 'ecr-public', host: /^(?:public\.ecr\.aws|ecr-public\.aws\.com)$/ },
  { type: 'google', host: /^(?:(?:[a-z]+\.)?gcr\.io|[a-z0-9-]+-docker\.pkg\.dev)$/ },
  { type: 'azure', host: /^[a-z0-9-]+(?:\.[a-z0-9-]+\.geo)?\.azurecr\.(?:io|cn|us)$/ },
] as const;

/** What a registry of this host name is; `undefined` for every other. */
export function cloudRegistryOf(host: string): CloudRegistry | undefined {
  const groups = ecr.exec(host)?.groups;
  if (groups !== undefined) {
    const { region = '', fips, dualStack } = groups;
    return { type: 'ecr', region, fips: fips !== undefined, dualStack: dualStack !== undefined };
  }
  const found = patterns.find((pattern) => pattern.host.test(host));
  return found === undefined ? undefined : { type: found.type };
}
