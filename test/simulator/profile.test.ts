import { describe, expect, it } from 'vitest';
import { PROFILES, profileFor, profileTable } from '../../src/simulator/profile.ts';

describe('profileTable', () => {
  it('completes an input from the built-in of its name, or from default', () => {
    const table = profileTable({ 'glm-4.6': { thinking: 7 }, mine: { mode: 'burst' } });
    expect(table['glm-4.6']).toEqual({ ...PROFILES['glm-4.6'], thinking: 7 });
    expect(table.mine).toEqual({ ...PROFILES.default, title: 'mine', mode: 'burst' });
  });

  it('lets a changed default reach what is completed from it', () => {
    const table = profileTable({ default: { chunkTokens: 3 }, mine: {} });
    expect(table.default?.chunkTokens).toBe(3);
    expect(table.mine?.chunkTokens).toBe(3);
  });
});

describe('profileFor', () => {
  const table = profileTable();

  it('goes by the name of the model, with or without a vendor before it', () => {
    expect(profileFor('glm-4-flash', table)).toBe(PROFILES['glm-4-flash']);
    expect(profileFor('zhipu/glm-4-flash', table)).toBe(PROFILES['glm-4-flash']);
  });

  it('falls back to default', () => {
    expect(profileFor('nobody', table)).toEqual(PROFILES.default);
    expect(profileFor(undefined, table)).toEqual(PROFILES.default);
    expect(profileFor('constructor', table)).toEqual(PROFILES.default);
  });
});
