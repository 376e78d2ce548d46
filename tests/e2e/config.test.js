/* Settings of providers: whoever has a key answers, names route a turn, and
 * whatever is wrong is told at start while the rest serves. */

import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { LLMock } from '@copilotkit/aimock';
import { ask, assertError, call, postJson } from '../lib/client.js';
import { startParley } from '../lib/server.js';

const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'parley-config-'));
after(() => fs.rmSync(folder, { recursive: true, force: true }));

function file(name, lines) {
    const at = path.join(folder, name);
    fs.writeFileSync(at, lines.join('\n'));
    return at;
}

/* Runs fn with a server of these settings; its log is at parley.log(). */
async function serving(env, fn) {
    const parley = await startParley({ env: { HOME: folder, ...env } });
    try {
        await fn(parley);
    } finally {
        await parley.stop();
    }
}

async function health(parley) {
    const r = await call(parley, '/health');
    assert.equal(r.status, 200, r.text);
    return r.body;
}

/* The lines of the log that speak of the configuration. */
function complaints(parley) {
    return parley.log().split('\n')
        .filter((line) => / conf\.(value|file) /.test(line))
        .map((line) => line.slice(line.indexOf(' conf.') + 1));
}

describe('one mock for all wires', () => {
    let mock;
    let everybody;

    before(async () => {
        mock = new LLMock({ port: 0, logLevel: 'silent' });
        mock.onMessage('hello', { content: 'Hi there!' });
        await mock.start();
        everybody = {
            AI_PROVIDER: '', OPENAI_API_KEY: 'ko',
            OPENAI_BASE_URL: `${mock.url}/v1`,
            ANTHROPIC_API_KEY: 'ka', ANTHROPIC_BASE_URL: mock.url,
            GOOGLE_API_KEY: 'kg', GEMINI_BASE_URL: `${mock.url}/v1beta`,
            HF_TOKEN: 'kh', HF_BASE_URL: `${mock.url}/v1`,
            OLLAMA_HOST: mock.url.replace('http://', ''),
            AWS_REGION: 'eu-west-1', AWS_ACCESS_KEY_ID: 'AK',
            AWS_SECRET_ACCESS_KEY: 'S', BEDROCK_BASE_URL: mock.url,
            UPSTREAM_RETRIES: '0',
        };
    });
    after(async () => { await mock?.stop(); });

    test('each provider answers by its name, and by its models', async () => {
        await serving(everybody, async (parley) => {
            const asked = [
                [{}, 'openai', 'gpt-4'],
                [{ provider: 'openai' }, 'openai', 'gpt-4'],
                [{ provider: 'claude' }, 'anthropic', /^claude-/],
                [{ provider: 'google' }, 'gemini', /^gemini-/],
                [{ provider: 'hf' }, 'huggingface', /^TinyLlama\//],
                [{ provider: 'aws' }, 'bedrock', /anthropic\.claude/],
                [{ provider: 'local' }, 'ollama', 'llama3.2'],
                [{ provider: 'offline' }, 'offline', 'parley-offline'],
                [{ model: 'anthropic/claude-x' }, 'anthropic', 'claude-x'],
                [{ model: 'claude-opus-5' }, 'anthropic', 'claude-opus-5'],
                [{ model: 'gemini-2.5-pro' }, 'gemini', 'gemini-2.5-pro'],
                [{ model: 'amazon.nova-lite-v1:0' }, 'bedrock',
                    'amazon.nova-lite-v1:0'],
                [{ model: 'somebody/some-model' }, 'openai',
                    'somebody/some-model'],
            ];
            for (const [fields, provider, model] of asked) {
                const body = await ask(parley, { message: 'hello', ...fields });
                assert.equal(body.provider, provider);
                assert.match(body.model, model instanceof RegExp ? model
                    : new RegExp(`^${model.replaceAll('.', '\\.')}$`));
                if (provider !== 'offline')
                    assert.equal(body.message, 'Hi there!', provider);
            }
            assert.equal((await health(parley)).status, 'ok');
            assert.deepEqual(complaints(parley), []);
        });
    });

    for (const [names, provider] of [
        [['ANTHROPIC_API_KEY', 'ANTHROPIC_BASE_URL'], 'anthropic'],
        [['GOOGLE_API_KEY', 'GEMINI_BASE_URL'], 'gemini'],
        [['HF_TOKEN', 'HF_BASE_URL'], 'huggingface'],
        [['AWS_REGION', 'AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY',
            'BEDROCK_BASE_URL'], 'bedrock'],
        [['OLLAMA_HOST'], 'ollama'],
    ]) {
        test(`the key of ${provider} alone makes it answer`, async () => {
            const env = Object.fromEntries(
                names.map((name) => [name, everybody[name]]));
            await serving({ AI_PROVIDER: '', OPENAI_BASE_URL: '', ...env },
                async (parley) => {
                    const body = await ask(parley, { message: 'hello' });
                    assert.equal(body.provider, provider);
                    assert.equal(body.message, 'Hi there!');
                    const { providers } = await health(parley);
                    assert.deepEqual(providers, [provider, 'offline']);
                });
        });
    }

    test('a model of one\'s own is routed by the file of models', async () => {
        const models = file('own.json', [
            '[{"provider": "ollama", "id": "mine"}]']);
        await serving({ ...everybody, MODELS_FILE: models },
            async (parley) => {
                const body = await ask(parley,
                    { message: 'hello', model: 'mine' });
                assert.equal(body.provider, 'ollama');
                assert.equal(body.message, 'Hi there!');
            });
    });

    test('all that is wrong is told, and what is right works', async () => {
        const models = file('bad.json', [
            '[',
            ' {"provider": "openai", "id": "m1",',
            '  "price": {"in": -3, "out": 1}},',
            ' {"provider": "acme", "id": "m2"},',
            ' {"provider": "openai" "id": "m3"},',
            ' {"provider": "anthropic", "id": "m4"}',
            ']']);
        const env = {
            OPENAI_API_KEY: 'sk-hunter2', OPENAI_BASE_URL: `${mock.url}/v1`,
            ANTHROPIC_API_KEY: 'ka-hunter2', ANTHROPIC_BASE_URL: mock.url,
            AI_PROVIDER: 'openai', AI_FALLBACK: 'acme,gemini/x,offline',
            AWS_ACCESS_KEY_ID: 'AKHUNTER2', BEDROCK_API: 'soap',
            MODELS_FILE: models, THREADS: 'many', UPSTREAM_RETRIES: '0',
        };
        await serving(env, async (parley) => {
            assert.deepEqual(complaints(parley), [
                'conf.value name=THREADS rule="must be a whole number from 1 ' +
                    'to 64" value="many"',
                `conf.file file="${models}" line=3 rule="price.in must not ` +
                    'be negative"',
                `conf.file file="${models}" line=4 rule="provider names no ` +
                    'provider that there is"',
                complaints(parley)[3], /* in the words of the JSON reader */
                'conf.value name="AWS_SECRET_ACCESS_KEY" rule="is not set, ' +
                    'and its other half is"',
                'conf.value name="BEDROCK_API" rule="must be converse or ' +
                    'invoke"',
                'conf.value name="AWS_REGION" rule="is not set, and Bedrock ' +
                    'is not to be found without it"',
                'conf.value name="AI_FALLBACK" rule="part 1 names no ' +
                    'provider: acme"',
                'conf.value name="AI_FALLBACK" rule="part 2 is left out: ' +
                    'gemini is not configured. Set GEMINI_API_KEY and ' +
                    'restart."',
            ]);
            assert.ok(complaints(parley)[3].startsWith(
                `conf.file file="${models}" line=5 rule="`));
            assert.doesNotMatch(parley.log(), /hunter2/i);
            const h = await health(parley);
            assert.equal(h.status, 'degraded');
            assert.equal(h.provider, 'ok');
            assert.equal(h.configuration_faults, 9);
            const { body } = await call(parley, '/status');
            assert.equal(body.status, 'running');
            assert.deepEqual(
                body.providers.filter((p) => p.configured).map((p) => p.name),
                ['openai', 'anthropic', 'offline']);
            assert.equal(body.providers.length, 7);
            const a = await ask(parley, { message: 'hello' });
            assert.equal(a.provider, 'openai');
            const b = await ask(parley, { message: 'hello', model: 'm4' });
            assert.equal(b.provider, 'anthropic');
        });
    });
});

test('an unknown provider is chosen: the others can be asked', async () => {
    await serving({ AI_PROVIDER: 'acme' }, async (parley) => {
        assert.deepEqual(complaints(parley), [
            'conf.value name="AI_PROVIDER" rule="names no provider: acme"']);
        const h = await health(parley);
        assert.equal(h.status, 'degraded');
        assert.equal(h.provider, 'unknown_provider');
        assertError(await postJson(parley, '/chat', { message: 'x' }), 422,
            'unknown_provider');
        const body = await ask(parley, { message: 'x', provider: 'offline' });
        assert.equal(body.provider, 'offline');
    });
});

test('a chosen provider has no key: told, and left to a fallback', async () => {
    const told = 'conf.value name="AI_PROVIDER" rule="anthropic is chosen ' +
        'and not configured. Set ANTHROPIC_API_KEY and restart."';
    await serving({ AI_PROVIDER: 'anthropic' }, async (parley) => {
        assert.deepEqual(complaints(parley), [told]);
        assert.equal((await health(parley)).provider,
            'provider_not_configured');
        assertError(await postJson(parley, '/chat', { message: 'x' }), 422,
            'provider_not_configured');
    });
    await serving({ AI_PROVIDER: 'anthropic', AI_FALLBACK: 'offline' },
        async (parley) => {
            assert.deepEqual(complaints(parley), [told]);
            assert.equal((await health(parley)).status, 'degraded');
            const body = await ask(parley, { message: 'x' });
            assert.equal(body.provider, 'offline');
        });
});

test('a file of models that is not there is told', async () => {
    const models = path.join(folder, 'none.json');
    await serving({ MODELS_FILE: models }, async (parley) => {
        assert.deepEqual(complaints(parley), [
            `conf.value name="${models}" rule="cannot be read"`]);
        assert.equal((await health(parley)).status, 'degraded');
    });
});

test('a profile of AWS is enough for Bedrock', async () => {
    const env = {
        AI_PROVIDER: 'bedrock', AWS_PROFILE: 'work',
        AWS_SHARED_CREDENTIALS_FILE: file('credentials', ['[work]',
            'aws_access_key_id = AKHUNTER2',
            'aws_secret_access_key = hunter2']),
        AWS_CONFIG_FILE: file('config', ['[profile work]',
            'region = eu-north-1']),
    };
    await serving(env, async (parley) => {
        assert.deepEqual(complaints(parley), []);
        const h = await health(parley);
        assert.equal(h.status, 'ok');
        assert.deepEqual(h.providers, ['openai', 'bedrock', 'offline']);
        assert.doesNotMatch(parley.log(), /hunter2/i);
    });
});
