// Every route through prism, the validating proxy, with --errors: a request or an answer that breaks the document fails.
// Prism reads answers whole and as text: event streams and pictures pass it unexamined, so these routes are asked
// directly as well, and their answers held against the document here, event by event. It cannot carry bytes to the server.
// usage: run-node DIR prism.cjs CONTRACT-BACKEND
'use strict';
const assert = require('node:assert/strict');
const { dirname, join } = require('node:path');
const { createServer } = require('node:net');
const { spawn } = require('node:child_process');
const { Judge, World, isGood, operationsOf, run, send, startBackend } = require('./contract.cjs');

const freePort = () => new Promise((done) => { const server = createServer().listen(0, '127.0.0.1', () => { const { port } = server.address(); server.close(() => done(port)); }); });

async function startPrism(url) {
    const port = await freePort();
    const bin = join(dirname(require.resolve('ajv/package.json')), '..', '.bin', 'prism');
    const child = spawn(process.execPath, [bin, 'proxy', `${url}/api/v1/openapi.json`, url, '--port', String(port), '--errors', '--multiprocess', 'false'], { stdio: ['ignore', 'pipe', 'pipe'] });
    let said = '';
    await new Promise((done, fail) => {
        for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => { said += chunk; if (said.includes('is listening')) done(); });
        child.once('exit', () => fail(new Error(`prism ended: ${said}`)));
    });
    return { url: `http://127.0.0.1:${port}`, stop: () => child.kill('SIGTERM') };
}

async function main() {
    const backend = await startBackend(process.argv[2]);
    const document = (await backend.call('GET', '/api/v1/openapi.json')).json;
    const prism = await startPrism(backend.url);
    const judge = new Judge(document);
    const world = new World(backend, document);
    const { people } = backend;
    const sendsBytes = ({ op }) => Object.keys(op.requestBody?.content ?? {}).some((type) => !/json$/.test(type));
    const answersBytes = ({ op }) => Object.entries(op.responses).some(([status, one]) => status < 300 && Object.keys(one.content ?? {}).some((type) => !/json$/.test(type)));
    const isForPrism = (operation) => !sendsBytes(operation);
    const problem = (answer) => answer.headers['sl-violations'] ?? (answer.text.includes('stoplight.io/prism') ? answer.text : undefined);
    const all = operationsOf(document);

    await run({
        'through prism: right requests and their answers': async () => {
            const wrong = [];
            for (const operation of all.filter(isForPrism)) {
                const request = await world.request(operation, operation.op['x-roles'] ? people.admin : people.user);
                const answer = await send(prism.url, request.method, request.path, request);
                if (problem(answer) || !isGood(operation, answer)) wrong.push(`${operation.key}: ${answer.status} ${problem(answer) ?? answer.text}`);
            }
            assert.deepEqual(wrong, []);
            return `${all.filter(isForPrism).length} of ${all.length} routes`;
        },
        'through prism: refusals': async () => {
            const cases = [
                ['GET', '/api/v1/wallet/balance', { token: 'nonsense' }, 401],
                ['GET', `/api/v1/chat/sessions/${people.user.id}`, { token: people.user.token }, 404],
                ['GET', '/api/v1/admin/users', { token: people.user.token }, 403],
                ['POST', '/api/v1/auth/login', { body: { provider: 'access_key', token: 'wrong' } }, 401],
                ['POST', '/v1/chat/completions', { token: people.user.token, body: { model: 'nobody', messages: [{ role: 'user', content: 'hi' }] } }, 404],
                ['PATCH', '/api/v1/auth/me', { token: people.user.token, body: { display_name: 'A' }, headers: { 'If-Match': '"old"' } }, 412],
                ['PATCH', '/api/v1/auth/me', { token: people.user.token, body: { display_name: 'A' } }, 428],
                ['POST', '/api/v1/chat/completions', { token: people.user.token, body: { session_id: await world.session(people.user), message: '[[rehearse: fail]]' } }, 502],
            ];
            for (const [method, path, options, status] of cases) {
                const answer = await send(prism.url, method, path, options);
                assert.equal(answer.status, status, `${method} ${path}: ${answer.text}`);
                assert.equal(problem(answer), undefined);
            }
            return `${cases.length} refusals`;
        },
        'prism does see what is wrong': async () => {
            const answer = await send(prism.url, 'POST', '/api/v1/chat/quote', { token: people.user.token, body: { message: 5 } });
            assert.ok(problem(answer), `${answer.status} ${answer.text}`);
        },
        'directly: what prism cannot carry, or carries without looking into it': async () => {
            const wrong = [];
            const rest = all.filter((one) => sendsBytes(one) || answersBytes(one));
            for (const operation of rest) {
                const request = await world.request(operation, operation.op['x-roles'] ? people.admin : people.user);
                const answer = await backend.call(request.method, request.path, request);
                wrong.push(...judge.findings(operation, answer).map((one) => `${operation.key}: ${one}`));
                if (answer.status >= 300) wrong.push(`${operation.key}: ${answer.status} ${answer.text}`);
            }
            assert.deepEqual(wrong, []);
            return rest.map(({ key }) => key).join(', ');
        },
    });
    prism.stop();
    await backend.stop();
}

main().catch((error) => { console.error(error); process.exit(1); });
