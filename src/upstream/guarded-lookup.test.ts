import { expect, test } from 'vitest';
import { guardedLookup } from './guarded-lookup.ts';

async function look(allowPrivate: boolean, all: boolean): Promise<unknown> {
  return new Promise((resolve) => {
    guardedLookup(() => allowPrivate)('localhost', { all }, (error, address) =>
      resolve(error?.code ?? address),
    );
  });
}

test.each([true, false])('refuses a name of this machine (all: %s)', async (all) => {
  await expect(look(false, all)).resolves.toBe('PRIVATE_ADDRESS');
});

test('resolves it where private addresses are allowed', async () => {
  await expect(look(true, false)).resolves.toMatch(/^(127\.|::1)/);
  await expect(look(true, true)).resolves.toContainEqual(
    expect.objectContaining({ family: expect.any(Number) }),
  );
});

test('passes on that a name does not exist', async () => {
  const code = await new Promise((resolve) => {
    guardedLookup(() => false)('no-such-name.invalid', {}, (error) => resolve(error?.code));
  });
  expect(code).toMatch(/ENOTFOUND|EAI_AGAIN/);
});
