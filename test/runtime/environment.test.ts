/** Settings: each function its own, validated at once, secrets by name, and a mistake that never shows a value. */
import { describe, expect, it } from 'vitest';
import { loadSettings, type SettingName } from '#lib/runtime/environment.ts';

const refused = async (name: string) => {
  throw new Error(`must not be read: ${name}`);
};
const load = <Name extends SettingName>(names: readonly Name[], env: Record<string, string>) =>
  loadSettings(names, { env, readSsm: refused, readSecretsManager: refused });

describe('settings', () => {
  it('are only those that were asked for', async () => {
    const settings = await load(['INCIDENTS_TABLE'], {
      INCIDENTS_TABLE: 'incidents',
      OLLAMA_URL: 'nonsense',
    });

    expect(settings).toEqual({ INCIDENTS_TABLE: 'incidents' });
  });

  it('have defaults, and an empty variable counts as absent', async () => {
    const settings = await load(
      ['REMEDIA_MODE', 'REMEDIA_SOURCE', 'OLLAMA_URL', 'OLLAMA_MODEL', 'INTAKE_TOKENS', 'INTAKE_HMAC_KEY'],
      { REMEDIA_MODE: '', OLLAMA_MODEL: '', INTAKE_HMAC_KEY: '' },
    );

    expect(settings).toEqual({
      REMEDIA_MODE: 'live',
      REMEDIA_SOURCE: 'zabbix',
      OLLAMA_URL: 'http://127.0.0.1:11434',
      OLLAMA_MODEL: 'llama3.2',
      INTAKE_TOKENS: [],
    });
  });

  it('are read as what they are', async () => {
    const settings = await load(['INTAKE_TOKENS', 'PUBLIC_BASE_URL', 'OLLAMA_TIMEOUT_SECONDS'], {
      INTAKE_TOKENS: ' one, two ,,',
      PUBLIC_BASE_URL: 'https://remedia.example.com/prod/',
      OLLAMA_TIMEOUT_SECONDS: '90',
    });

    expect(settings).toEqual({
      INTAKE_TOKENS: ['one', 'two'],
      PUBLIC_BASE_URL: 'https://remedia.example.com/prod',
      OLLAMA_TIMEOUT_SECONDS: 90,
    });
  });
});

it.each(['qwen2.5-coder:1.5b', 'hub.example.com/team/small', 'small:1b@sha256:5c8e24B1'])(
  'The model %s can be asked',
  async (model) => {
    expect(await load(['OLLAMA_MODEL'], { OLLAMA_MODEL: model })).toEqual({ OLLAMA_MODEL: model });
  },
);

it('A pin that was left empty is told by its setting and what is expected there', async () => {
  await expect(load(['OLLAMA_MODEL'], { OLLAMA_MODEL: 'small:1b@sha256:' })).rejects.toThrow(
    /OLLAMA_MODEL: expected a model .* the first hexadecimal digits of its digest/,
  );
});

describe('secrets', () => {
  it('are fetched by their name from the store that is named', async () => {
    const settings = await loadSettings(['INTAKE_TOKENS', 'INTAKE_HMAC_KEY', 'REMEDIA_SOURCE'], {
      env: {
        INTAKE_TOKENS: 'ssm:/remedia/prod/intake-tokens',
        INTAKE_HMAC_KEY: 'secretsmanager:remedia/hmac',
        REMEDIA_SOURCE: 'main',
      },
      readSsm: async (name) => `old-of-${name},new`,
      readSecretsManager: async (name) => `key of ${name}`,
    });

    expect(settings).toEqual({
      INTAKE_TOKENS: ['old-of-/remedia/prod/intake-tokens', 'new'],
      INTAKE_HMAC_KEY: 'key of remedia/hmac',
      REMEDIA_SOURCE: 'main',
    });
  });

  it('that cannot be read are named by their variable and the kind of error alone', async () => {
    const loading = loadSettings(['INTAKE_TOKENS'], {
      env: { INTAKE_TOKENS: 'ssm:/remedia/intake-tokens' },
      readSsm: async () => {
        throw Object.assign(new Error('arn:aws:ssm:secret-detail'), { name: 'ParameterNotFound' });
      },
    });

    await expect(loading).rejects.toThrow(
      'INTAKE_TOKENS names a secret that cannot be read (ParameterNotFound)',
    );
    await expect(loading).rejects.not.toThrow('secret-detail');
  });

  it('that fail with no error at all are named as well', async () => {
    const loading = loadSettings(['APPROVAL_SIGNING_KEY'], {
      env: { APPROVAL_SIGNING_KEY: 'secretsmanager:key' },
      readSecretsManager: () => Promise.reject('text'),
    });

    await expect(loading).rejects.toThrow('APPROVAL_SIGNING_KEY names a secret');
  });
});

describe('a configuration that is not usable', () => {
  it('is one error that names every variable and no value', async () => {
    const env = {
      ALERTS_QUEUE_URL: 'not-a-url-but-secret',
      INTAKE_HMAC_KEY: 'short-secret',
      REMEDIA_MODE: 'secretly',
      REMEDIA_SOURCE: 'a/b',
    };
    const loading = load(
      [
        'ALERTS_QUEUE_URL',
        'INTAKE_HMAC_KEY',
        'REMEDIA_MODE',
        'REMEDIA_SOURCE',
        'INCIDENTS_TABLE',
        'PUBLIC_BASE_URL',
      ],
      env,
    );

    const error: unknown = await loading.catch((caught: unknown) => caught);
    expect(error).toMatchObject({ name: 'ConfigError' });
    const text = String(error);
    for (const name of [...Object.keys(env), 'INCIDENTS_TABLE is missing', 'PUBLIC_BASE_URL is missing'])
      expect(text).toContain(name);
    for (const value of Object.values(env)) expect(text).not.toContain(value);
  });

  it.each([
    ['DECIDER', 'nobody'],
    ['OLLAMA_URL', 'ftp://ollama'],
    ['OLLAMA_TIMEOUT_SECONDS', '0'],
    ['OLLAMA_TIMEOUT_SECONDS', '841'],
    ['OLLAMA_TIMEOUT_SECONDS', 'soon'],
    ['RETENTION_DAYS', '1.5'],
    ['OLLAMA_MODEL', 'small:1b@sha256:'],
    ['OLLAMA_MODEL', 'small:1b@sha256:latest'],
    ['OLLAMA_MODEL', '@sha256:5c8e24b1'],
  ] as const)('%s cannot be %s', async (name, value) => {
    await expect(load([name], { [name]: value })).rejects.toThrow(name);
  });
});
