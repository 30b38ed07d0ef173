// Holds the fake provider against the vendor's own client: what the SDK understands of it is the OpenAI wire.
// usage: run-node DIR openai_sdk.cjs FAKE-LLM
'use strict';
const assert = require('node:assert/strict');
const { spawn } = require('node:child_process');
const { createInterface } = require('node:readline');
const OpenAI = require('openai');

const messages = [{ role: 'user', content: 'Hello?' }];

async function startFake(program) {
    const child = spawn(program, ['--port', '0'], { stdio: ['ignore', 'pipe', 'inherit'] });
    const lines = createInterface({ input: child.stdout });
    const [baseURL] = await new Promise((done) => lines.once('line', (line) => done([line])));
    return { child, baseURL };
}

function tests(client, control) {
    return {
        'answers whole': async () => {
            const answer = await client.chat.completions.create({ model: 'fake: say=Good evening, friend.', messages });
            assert.equal(answer.object, 'chat.completion');
            assert.equal(answer.choices[0].message.content, 'Good evening, friend.');
            assert.equal(answer.choices[0].finish_reason, 'stop');
            assert.deepEqual(answer.usage, { prompt_tokens: 5, completion_tokens: 3, total_tokens: 8 });
        },
        'streams, with the usage in the last chunk': async () => {
            const stream = await client.chat.completions.create({
                model: 'fake: say=Grüß dich, 😀 friend.', messages, stream: true, stream_options: { include_usage: true },
            });
            let text = '', usage, finish;
            for await (const chunk of stream) {
                text += chunk.choices[0]?.delta?.content ?? '';
                finish = chunk.choices[0]?.finish_reason ?? finish;
                usage = chunk.usage ?? usage;
            }
            assert.equal(text, 'Grüß dich, 😀 friend.');
            assert.equal(finish, 'stop');
            assert.equal(usage.completion_tokens, 4);
        },
        'reads odd but lawful spellings': async () => {
            for (const script of ['crlf', 'bytes comments', 'null-content', 'split-surrogates']) {
                const stream = await client.chat.completions.create({ model: `fake: ${script} say=fine`, messages, stream: true });
                let text = '';
                for await (const chunk of stream) text += chunk.choices[0]?.delta?.content ?? '';
                assert.equal(text, script === 'split-surrogates' ? '😀fine' : 'fine', script);
            }
        },
        'an error event raises': async () => {
            const stream = await client.chat.completions.create({ model: 'fake: tokens=5 error=2', messages, stream: true });
            await assert.rejects(async () => { for await (const chunk of stream) void chunk; }, /fails as it was told/);
        },
        'a stream that is cut raises': async () => {
            const stream = await client.chat.completions.create({ model: 'fake: tokens=5 cut=2', messages, stream: true });
            await assert.rejects(async () => { for await (const chunk of stream) void chunk; });
        },
        'a refusal has its class, and 429 is retried after the time asked for': async () => {
            await assert.rejects(client.chat.completions.create({ model: 'fake: status=400', messages }), OpenAI.BadRequestError);
            await control('reset');
            await control('next', 'status=429 retry-after-ms=40');
            const began = Date.now();
            await client.chat.completions.create({ model: 'fake', messages });
            assert.ok(Date.now() - began >= 40);
            assert.equal((await control('stats')).requests, 2);
        },
        'a barrier lets go when all have come': async () => {
            await control('reset');
            const asked = [1, 2, 3].map(() => client.chat.completions.create({ model: 'fake: barrier=3', messages }));
            await Promise.all(asked);
            assert.equal((await control('stats')).peak, 3);
            const held = client.chat.completions.create({ model: 'fake: barrier=9', messages });
            while ((await control('stats')).held !== 1) await new Promise((done) => setTimeout(done, 10));
            await control('release');
            await held;
        },
        'keeps what it was asked': async () => {
            await control('reset');
            await client.chat.completions.create({ model: 'fake', messages, temperature: 0.5 });
            const [request] = await control('requests');
            assert.equal(request.headers.authorization, 'Bearer sk-test');
            assert.deepEqual(request.body, { model: 'fake', messages, temperature: 0.5 });
        },
        'moderates': async () => {
            await control('reset');
            const clean = await client.moderations.create({ model: 'omni-moderation-latest', input: 'Hello there' });
            assert.equal(clean.results[0].flagged, false);
            const hit = await client.moderations.create({ input: 'x [[flag: self-harm/intent 0.91]]' });
            assert.equal(hit.results[0].flagged, true);
            assert.equal(hit.results[0].categories['self-harm/intent'], true);
            assert.equal(hit.results[0].category_scores['self-harm/intent'], 0.91);
            assert.equal(hit.results[0].categories['sexual/minors'], false);
            await control('next', 'status=400');
            await assert.rejects(client.moderations.create({ input: 'x' }), OpenAI.BadRequestError);
        },
        'lists its models': async () => {
            assert.deepEqual((await client.models.list()).data.map((model) => model.id), ['fake']);
        },
    };
}

async function main() {
    const { child, baseURL } = await startFake(process.argv[2]);
    const client = new OpenAI({ baseURL, apiKey: 'sk-test' });
    const control = async (what, script) => {
        const url = baseURL.replace('/v1', '/control/') + what;
        const get = what === 'stats' || what === 'requests';
        return (await fetch(url, get ? {} : { method: 'POST', body: script ?? '' })).json();
    };
    try {
        for (const [name, test] of Object.entries(tests(client, control))) {
            await test();
            console.log(`ok   ${name}`);
        }
    } finally {
        child.kill();
    }
}

main().catch((error) => {
    console.error(error);
    process.exitCode = 1;
});
