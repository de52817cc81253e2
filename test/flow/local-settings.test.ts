/** One machine's settings: defaults for everything, one sentence for each mistake, no value of a secret in it. */
import { describe, expect, it } from 'vitest';
import { LOCAL_INTAKE_TOKEN, readLocalSettings } from '#local/local-settings.ts';

const secret = 'a-value-that-must-not-be-shown';
const realRundeck = {
  RUNDECK_URL: 'https://rundeck.example.com',
  RUNDECK_WEBHOOKS: '{}',
  RUNDECK_API_TOKEN: secret,
  INTAKE_TOKENS: secret,
} as const;

describe('settings of one machine', () => {
  it('needs nothing, and simulates what nobody named', () => {
    const settings = readLocalSettings({});

    expect(settings).toMatchObject({ port: 3000, rundeck: false, people: false, decider: 'model' });
    expect(settings.ollamaModel).toBe('llama3.2');
    expect(settings.policyFile).toMatch(/local\/policy\.yaml$/);
  });

  it('keeps its data outside the project, where no file watcher sees them', () => {
    const { dataDir } = readLocalSettings({ XDG_DATA_HOME: '/home/someone/.local/share' });

    expect(dataDir).toBe('/home/someone/.local/share/remedia');
  });

  it('takes an empty variable for one that is not there', () => {
    expect(readLocalSettings({ REMEDIA_PORT: '', RUNDECK_WEBHOOKS: '' })).toMatchObject({
      port: 3000,
      rundeck: false,
    });
  });

  it.each([
    ['REMEDIA_PORT', { REMEDIA_PORT: 'http' }],
    ['REMEDIA_PORT', { REMEDIA_PORT: '70000' }],
    ['REMEDIA_MODE', { REMEDIA_MODE: 'dry' }],
    ['DECIDER', { DECIDER: 'nobody' }],
    ['OLLAMA_URL', { OLLAMA_URL: 'localhost:11434' }],
    ['OLLAMA_MODEL', { OLLAMA_MODEL: 'small:1b@sha256:' }],
    ['RUNDECK_URL', { ...realRundeck, RUNDECK_URL: undefined }],
    ['RUNDECK_API_TOKEN', { ...realRundeck, RUNDECK_API_TOKEN: undefined }],
    ['ZABBIX_API_TOKEN', { ZABBIX_API_URL: 'http://zabbix.example.com/api_jsonrpc.php' }],
  ])('names %s in one sentence when it is missing or cannot be used', (name, env) => {
    expect(() => readLocalSettings(env)).toThrow(new RegExp(`^${name} [^\\n]*\\.$`));
    expect(() => readLocalSettings(env)).not.toThrow(secret);
  });

  it('lets nobody reach a real Rundeck with the token that everybody knows', () => {
    expect(() => readLocalSettings({ ...realRundeck, INTAKE_TOKENS: undefined })).toThrow(
      /^INTAKE_TOKENS is missing/,
    );
    expect(() => readLocalSettings({ ...realRundeck, INTAKE_TOKENS: LOCAL_INTAKE_TOKEN })).toThrow(
      /^INTAKE_TOKENS/,
    );
    expect(readLocalSettings(realRundeck).rundeck).toBe(true);
  });
});
