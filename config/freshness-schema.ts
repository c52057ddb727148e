import type { z } from 'zod';
import { duration } from './field-kinds.ts';
import { section } from './field.ts';
import { tagPatterns } from './registry-fields.ts';
import { withUnits } from './with-units.ts';

export const freshnessRuleSchema = withUnits(
  section('For the tags that match.', {
    tags: tagPatterns('Patterns of tags; `*` stands for any characters, `?` for one.'),
    fresh: duration('How long a tag is served without asking the upstream.').prefault('60s'),
    staleWhileRevalidate: duration(
      'How much longer the old answer is served while the upstream is asked.',
    ).prefault('0s'),
    staleIfError: duration('How much longer the old answer is served while the upstream is away.').prefault(
      '7d',
    ),
    negative: duration('How long "no such tag" is remembered.').prefault('10s'),
  }),
  {
    fresh: 'freshMs',
    staleWhileRevalidate: 'staleWhileRevalidateMs',
    staleIfError: 'staleIfErrorMs',
    negative: 'negativeMs',
  },
);

/** How long tags that match one of `tags` are used. Of several rules the first that matches counts. */
export type FreshnessRule = z.output<typeof freshnessRuleSchema>;

/** What holds where no rule matches. */
export const defaultFreshnessRule: FreshnessRule = freshnessRuleSchema.parse({ tags: ['*'] });
