import { PassThrough } from 'node:stream';
import { expect, test } from 'vitest';
import { openQuestions } from '../../src/cli/questions.ts';
import { isCompleteRequest } from '../../src/scenario/draft/read-request.ts';

function terminal() {
  const [input, output] = [new PassThrough(), new PassThrough()];
  let shown = '';
  output.on('data', (chunk: Buffer) => {
    shown += chunk.toString();
  });
  return { input, questions: openQuestions({ input, output }), shown: () => shown };
}

test('a pasted command of several lines is one answer, and the next line is the next answer', async () => {
  const { input, questions, shown } = terminal();
  const asked = questions.askLines('URL or curl command', isCompleteRequest);
  input.write('curl http://h \\\n  -d \'{\n "a": 1}\'\nmy-model\n\n');
  expect(await asked).toBe('curl http://h \\\n  -d \'{\n "a": 1}\'');
  expect(await questions.ask('Model')).toBe('my-model');
  expect(await questions.ask('Variable', 'MY_KEY')).toBe('MY_KEY');
  questions.close();
  expect(shown()).toContain('URL or curl command: ');
});

test('the end of the input ends the question with an error', async () => {
  const { input, questions } = terminal();
  input.end();
  await expect(questions.ask('Model')).rejects.toThrow(/the input ended .* no file was written/);
});

test('Ctrl-C ends the question with an error', async () => {
  const { input, questions } = terminal();
  const asked = questions.ask('Model');
  input.write('\u0003');
  await expect(asked).rejects.toThrow(/interrupted; no file was written/);
});
