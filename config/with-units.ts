import { z } from 'zod';

/** `Values` with the keys that `Names` lists renamed. */
export type Renamed<Values, Names> = {
  [Key in keyof Values as Key extends keyof Names ? Names[Key] & PropertyKey : Key]: Values[Key];
};

/**
 * In a file a unit stands with the value (`connect: 5s`), in code with the name (`connectMs`): this renames the keys
 * of a section on the way in, and back when it is encoded.
 */
export function withUnits<
  Section extends z.ZodType<Readonly<Record<string, unknown>>>,
  const Names extends Readonly<Partial<Record<keyof z.output<Section> & string, string>>>,
>(section: Section, names: Names) {
  const inward = new Map(Object.entries<string | undefined>(names));
  const outward = new Map([...inward].map(([key, name]) => [name ?? key, key]));
  return z.codec(section, z.custom<Renamed<z.output<Section>, Names>>(), {
    decode: (values) => rename(values, inward) as Renamed<z.output<Section>, Names>,
    encode: (values) => rename(values, outward) as z.output<Section>,
  });
}

function rename(
  values: Readonly<Record<string, unknown>>,
  names: ReadonlyMap<string, string | undefined>,
): Record<string, unknown> {
  return Object.fromEntries(Object.entries(values).map(([key, value]) => [names.get(key) ?? key, value]));
}
