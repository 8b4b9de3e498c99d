import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { loadScenario } from '../src/scenario/load.ts';
import { parseOverride } from '../src/scenario/overrides.ts';
import { planScenario, unstarted, usesSimulator } from '../src/scenario/plan.ts';
import { needsSimulator } from '../src/scenario/targets.ts';

const FOLDER = new URL('../scenarios/', import.meta.url).pathname;
const FILES = readdirSync(FOLDER).filter((name) => name.endsWith('.yaml'));
const KEYS = { OPENAI_API_KEY: 'sk-for-the-test', ZHIPU_API_KEY: 'id.for-the-test' };

const load = (name: string, env = {}) => loadScenario(FOLDER + name, { env });

describe('the scenarios that come along', () => {
  it('are the ones that the manual names', () => {
    expect(FILES).toEqual(
      expect.arrayContaining([
        'batch.yaml',
        'cached-vs-streaming.yaml',
        'cancel-and-resume.yaml',
        'demo.yaml',
        'glm-4-flash-vs-glm-4.6.yaml',
        'legacy-vs-real.yaml',
        'long.yaml',
        'medium.yaml',
        'ollama.yaml',
        'openai.yaml',
        'persistence-strategies.yaml',
        'service-goals.yaml',
        'short.yaml',
        'sweep.yaml',
      ]),
    );
  });

  it.each(FILES)('%s is valid, makes a plan that holds what it says, and helps editors', (name) => {
    const loaded = load(name, KEYS);
    const { blocks, cells, sweep } = planScenario(loaded, unstarted(loaded.scenario));
    // A sweep chooses its blocks while it runs.
    expect(sweep === undefined ? blocks.length : cells.length).toBeGreaterThan(0);
    expect(loaded.scenario.description).toBeDefined();
    const first = readFileSync(FOLDER + name, 'utf8').split('\n')[0];
    expect(first).toBe('# yaml-language-server: $schema=../schema/scenario.schema.json');
  });

  it.each([
    'batch.yaml',
    'cached-vs-streaming.yaml',
    'cancel-and-resume.yaml',
    'demo.yaml',
    'short.yaml',
    'medium.yaml',
    'long.yaml',
    'glm-4-flash-vs-glm-4.6.yaml',
    'legacy-vs-real.yaml',
    'persistence-strategies.yaml',
    'service-goals.yaml',
    'sweep.yaml',
    'spike.yaml',
    'ramp.yaml',
    'endless.yaml',
  ])('%s needs neither network nor key', (name) => {
    const { scenario } = load(name);
    expect(scenario.targets.every(needsSimulator)).toBe(true);
    expect(usesSimulator(scenario)).toBe(true);
  });

  it('the two models of one provider are real ones by one flag', () => {
    const loaded = loadScenario(`${FOLDER}glm-4-flash-vs-glm-4.6.yaml`, {
      env: KEYS,
      overrides: [parseOverride('targets.*.provider=zhipu')],
    });
    expect(loaded.scenario.targets).toMatchObject([
      { provider: 'zhipu', model: 'glm-4-flash', apiKey: KEYS.ZHIPU_API_KEY },
      { provider: 'zhipu', model: 'glm-4.6', apiKey: KEYS.ZHIPU_API_KEY },
    ]);
    expect(usesSimulator(loaded.scenario)).toBe(false);
  });

  it.each(['short.yaml', 'medium.yaml', 'long.yaml'])('%s takes a provider from the environment', (name) => {
    const { scenario } = load(name, {
      ...KEYS,
      STREAMBENCH_PROVIDER: 'openai',
      STREAMBENCH_MODEL: 'gpt-4o-mini',
    });
    expect(scenario.targets[0]).toMatchObject({
      provider: 'openai',
      model: 'gpt-4o-mini',
      apiKey: 'sk-for-the-test',
    });
  });

  it('hold a long prompt that is long', () => {
    const words = readFileSync(`${FOLDER}prompts/long.txt`, 'utf8').split(/\s+/).length;
    expect(words).toBeGreaterThan(1300);
    expect(words).toBeLessThan(1800);
  });

  it('the demo covers three lengths, three loads and both modes, in well under 50 seconds', () => {
    const { scenario } = load('demo.yaml');
    const profile = scenario.simulator!.profiles.demo!;
    const { cells, blocks } = planScenario(load('demo.yaml'), { simulatorUrl: 'http://127.0.0.1:1' });
    expect(cells).toHaveLength(18);
    const answerMs = (name: string) => {
      const tokens = scenario.prompts.find((prompt) => prompt.name === name)!.maxTokens!;
      return profile.ttft.meanMs + (tokens - 1) * profile.gap.meanMs;
    };
    const totalMs = blocks.reduce((sum, { cell, requests = 0, warmup }) => {
      const { prompt, concurrency } = cells[cell]!;
      return sum + (warmup + Math.ceil(requests / concurrency)) * answerMs(prompt);
    }, 0);
    expect(totalMs).toBeLessThan(35_000);
  });
});
