/** What is measured, under the name that results have it by. */
export type Contenders<Name extends string, Value> = Readonly<
  Record<Name, (round: number) => Promise<Value>>
>;

/**
 * Measures every contender once a round, one after the other; who begins changes from round to round, so that a slow
 * drift of the machine favours nobody. Gives each one's values in the order of the rounds.
 */
export async function interleave<Name extends string, Value>(
  rounds: number,
  contenders: Contenders<Name, Value>,
): Promise<Record<Name, Value[]>> {
  const names = Object.keys(contenders) as Name[];
  const values = Object.fromEntries(names.map((name) => [name, [] as Value[]])) as Record<Name, Value[]>;
  for (let round = 0; round < rounds; round += 1) {
    const first = round % names.length;
    for (const name of [...names.slice(first), ...names.slice(0, first)]) {
      values[name].push(await contenders[name](round));
    }
  }
  return values;
}
