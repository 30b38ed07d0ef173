// The official OpenAI SDK against our /v1 door, on a real backend process.
// usage: run-node DIR openai_sdk.cjs COMPANION-BACKEND
'use strict';
const assert = require('node:assert/strict');
const { execFileSync, spawn } = require('node:child_process');
const { mkdtempSync, rmSync, chmodSync } = require('node:fs');
const { tmpdir } = require('node:os');
const { join } = require('node:path');
const { createInterface } = require('node:readline');
const OpenAI = require('openai');

const program = process.argv[2];
const data = mkdtempSync(join(tmpdir(), 'companion-sdk-'));
chmodSync(data, 0o755);
const environment = { ...process.env, COMPANION_REHEARSAL_PACE: '0', COMPANION_LISTEN: '127.0.0.1:0', COMPANION_LOG_LEVEL: 'warning' };
delete environment.DATABASE_URL;

function command(...args) {
    return execFileSync(program, [...args, '--data', data], { env: environment, stdio: ['ignore', 'pipe', 'inherit'] }).toString();
}

async function startBackend() {
    const child = spawn(program, ['serve', '--ready-json', '--data', data], { env: environment, stdio: ['ignore', 'pipe', 'inherit'] });
    const lines = createInterface({ input: child.stdout });
    const line = await new Promise((done) => lines.once('line', done));
    return { child, url: JSON.parse(line).url };
}

async function call(url, path, body, token, method = body ? 'POST' : 'GET') {
    const headers = { 'Content-Type': 'application/json', ...(token ? { Authorization: `Bearer ${token}` } : {}) };
    const answer = await fetch(url + path, { method, headers, body: body ? JSON.stringify(body) : undefined });
    return { status: answer.status, json: await answer.json().catch(() => ({})) };
}

function price(tokens) { // 0.1 credits for 1000 tokens, half up to 4 places, at least 0.01; vip pays half
    return Math.max(100, Math.floor((tokens * 1000 * 5) / 10000 + 0.5)) / 10000;
}

async function main() {
    const key = JSON.parse(command('access-key', 'create', '--user', 'sdk@example.com', '--tier', 'vip', '--age-verified', '--json')).access_key;
    const { child, url } = await startBackend();
    try {
        const signedIn = (await call(url, '/api/v1/auth/login', { provider: 'access_key', token: key })).json;
        const created = await call(url, '/api/v1/auth/api-keys', { name: 'sdk' }, signedIn.access_token);
        assert.equal(created.status, 201, JSON.stringify(created.json));
        const apiKey = created.json.key;
        assert.match(apiKey, /^sk-companion-/);
        const client = new OpenAI({ baseURL: `${url}/v1`, apiKey, maxRetries: 0 });
        const total = async () => Number((await call(url, '/api/v1/wallet/balance', null, signedIn.access_token)).json.total);

        const tests = {
            'lists the characters as models': async () => {
                const ids = (await client.models.list()).data.map((model) => model.id);
                assert.ok(ids.includes('aria') && ids.includes('aria:spicy'), ids.join());
            },
            'answers whole and charges the price': async () => {
                const before = await total();
                const answer = await client.chat.completions.create({ model: 'aria', messages: [{ role: 'user', content: 'Hello Aria' }] });
                assert.equal(answer.object, 'chat.completion');
                assert.equal(answer.model, 'aria');
                assert.ok(answer.choices[0].message.content.length > 0);
                assert.equal((before - await total()).toFixed(4), price(answer.usage.total_tokens).toFixed(4));
            },
            'streams the same, with the usage chunk when asked': async () => {
                const before = await total();
                const stream = await client.chat.completions.create({
                    model: 'aria:spicy', stream: true, stream_options: { include_usage: true },
                    messages: [{ role: 'system', content: 'Be brief.' }, { role: 'user', content: [{ type: 'text', text: 'Good evening' }] }],
                });
                let text = '', usage, finish;
                for await (const chunk of stream) {
                    text += chunk.choices[0]?.delta?.content ?? '';
                    finish = chunk.choices[0]?.finish_reason ?? finish;
                    if (chunk.choices.length === 0) usage = chunk.usage;
                }
                assert.ok(text.length > 0);
                assert.equal(finish, 'stop');
                assert.equal((before - await total()).toFixed(4), price(usage.total_tokens).toFixed(4));
            },
            'remembers in a session': async () => {
                const session = (await call(url, '/api/v1/chat/sessions', { character: 'aria' }, signedIn.access_token)).json.id;
                await client.chat.completions.create({ model: 'aria', session_id: session, messages: [{ role: 'user', content: 'My name is Nadia' }] });
                const list = (await call(url, `/api/v1/chat/sessions/${session}/messages`, null, signedIn.access_token)).json.items;
                assert.equal(list.length, 2);
            },
            'raises the right errors': async () => {
                const ask = (more, text = 'hi') => client.chat.completions.create({ model: 'aria', messages: [{ role: 'user', content: text }], ...more });
                await assert.rejects(ask({ model: 'nobody' }), OpenAI.NotFoundError);
                await assert.rejects(ask({ n: 2 }), OpenAI.BadRequestError);
                await assert.rejects(ask({}, '[[rehearse: fail]]'), (error) => error instanceof OpenAI.APIError && error.status === 502 && error.code === 'model_failed');
                const wrong = new OpenAI({ baseURL: `${url}/v1`, apiKey: 'sk-companion-wrong', maxRetries: 0 });
                await assert.rejects(wrong.models.list(), OpenAI.AuthenticationError);
            },
            'raises in the stream when the reply is cut, and charges nothing': async () => {
                const before = await total();
                const stream = await client.chat.completions.create({
                    model: 'aria', stream: true, messages: [{ role: 'user', content: '[[rehearse: tokens 200]] [[rehearse: cut 80]]' }],
                });
                await assert.rejects(async () => { for await (const chunk of stream) void chunk; });
                assert.equal(await total(), before);
            },
        };
        for (const [name, test] of Object.entries(tests)) {
            await test();
            console.log(`ok   ${name}`);
        }
    } finally {
        const gone = new Promise((done) => child.once('exit', done));
        child.kill('SIGTERM');
        await gone;
    }
    assert.equal(JSON.parse(command('audit', '--json')).clean, true);
    console.log('ok   audit is clean');
}

main().then(() => rmSync(data, { recursive: true, force: true }), (error) => { console.error(error); process.exitCode = 1; });
