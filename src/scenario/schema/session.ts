import * as z from 'zod';
import { list, mapping, text, whole } from './fields.ts';
import { durationDistribution } from './simulator.ts';

/** Conversations of several turns. */

const A_TURN = 'a text, { user, think } or { tool, think }';

const think = () =>
  durationDistribution
    .optional()
    .describe('Time between the end of the answer before and this turn. Default: that of session.');

/** The parser of a prompt's `turns`. */
export const turnsSchema = list(
  z.union(
    [
      text(A_TURN),
      mapping({ user: text().describe('What the user says.'), think: think() }),
      mapping({
        tool: z
          .union([text(), list(text(), 'a list of results')], { error: 'a result, or a list of results' })
          .describe(
            'Recorded results for the tool calls of the answer before, in their order; the last one also for further calls. Left out if the answer has no call.',
          ),
        think: think(),
      }),
    ],
    { error: A_TURN },
  ),
  'a list of turns',
);

/** The parser of a prompt's `session`. */
export const sessionSchema = mapping({
  think: durationDistribution
    .optional()
    .describe(
      'Time between the end of an answer and the next turn: 2s, or { mean, sd, min, max, shape }. Default: none.',
    ),
  maxTurns: whole(1).optional().describe('Turns of a session at most. Default: all.'),
});

/** A turn of a scenario. */
export type ScenarioTurn = z.output<typeof turnsSchema>[number];
