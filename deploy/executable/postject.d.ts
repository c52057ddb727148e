/** What postject has no declarations for itself (its README, "Programmatic API"). */
declare module 'postject' {
  export function inject(
    executable: string,
    resourceName: string,
    resource: Buffer,
    options: { readonly sentinelFuse: string },
  ): Promise<void>;
}
