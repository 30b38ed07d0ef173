// The running server against its own document: routes, answers, headers, and the rules that hold for all routes.
// usage: run-node DIR agreement.cjs CONTRACT-BACKEND
'use strict';
const assert = require('node:assert/strict');
const { randomUUID } = require('node:crypto');
const { Judge, World, hasProblemCode, isGood, isPublic, isWebhook, metric, operationsOf, parameter, run, startBackend } = require('./contract.cjs');

const program = process.argv[2];
const rateHeaders = ['x-ratelimit-limit', 'x-ratelimit-remaining', 'x-ratelimit-reset', 'ratelimit', 'ratelimit-policy'];

// Asks every operation that `takes` wants and gathers what was wrong with it.
async function everyOperation(operations, takes, check) {
    const wrong = [];
    let count = 0;
    for (const operation of operations.filter(takes)) {
        ++count;
        try { await check(operation); } catch (error) { wrong.push(`${operation.key}: ${error.message}`); }
    }
    assert.ok(count > 0, 'no operation was asked');
    assert.deepEqual(wrong, []);
    return `${count} operations`;
}

async function main() {
    const backend = await startBackend(program);
    const document = (await backend.call('GET', '/api/v1/openapi.json')).json;
    const operations = operationsOf(document);
    const judge = new Judge(document);
    const world = new World(backend, document);
    const personFor = (op) => (op['x-roles'] ? backend.people.admin : backend.people.user);
    const ask = (request) => backend.call(request.method, request.path, request);
    const right = async (operation) => world.request(operation, personFor(operation.op));
    const judged = async (operation, request) => {
        const answer = await ask(request);
        assert.deepEqual(judge.findings(operation, answer), []);
        return answer;
    };
    const refused = async (operation, request, status, code) => {
        const answer = await judged(operation, request);
        assert.equal(`${answer.status} ${hasProblemCode(answer)}`, `${status} ${code}`);
        return answer;
    };
    const everything = () => true;
    const takesJson = ({ op }) => op.requestBody?.content['application/json'];

    await run({
        'the routes served are the routes described': async () => {
            assert.deepEqual([...backend.routes].sort(), operations.map(({ key }) => key).sort());
            return `${backend.routes.length} routes`;
        },
        'every route answers a right request as described': () => everyOperation(operations, everything, async (operation) => {
            const request = await right(operation);
            if (!Buffer.isBuffer(request.body)) assert.deepEqual(judge.requestFindings(operation, request.body), []);
            const answer = await judged(operation, request);
            assert.ok(isGood(operation, answer), `${answer.status} ${answer.text}`);
        }),
        'streams are described event by event': () => everyOperation(operations, ({ op, key }) => takesJson({ op }) && Object.values(op.responses).some((one) => one.content?.['text/event-stream']), async (operation) => {
            const request = await right(operation);
            request.body = { ...request.body, stream: true };
            const answer = await judged(operation, request);
            assert.equal(answer.type, 'text/event-stream');
        }),
        'a rate-limited route says how much is left': () => everyOperation(operations, ({ op }) => op.responses['429'], async (operation) => {
            const answer = await ask(await right(operation));
            for (const name of rateHeaders) assert.ok(answer.headers[name], `no ${name}`);
            assert.ok(Number(answer.headers['x-ratelimit-remaining']) < Number(answer.headers['x-ratelimit-limit']));
        }),
        'nobody gets in without a token': () => everyOperation(operations, ({ op }) => !isPublic(op), async (operation) => {
            const request = await right(operation);
            for (const token of [undefined, 'nonsense', 'sk-companion-nonsense']) {
                const answer = await refused(operation, { ...request, token }, 401, 'unauthenticated');
                assert.equal(answer.headers['www-authenticate'], 'Bearer');
            }
        }),
        'an unknown query parameter is 422, one given twice too': () => everyOperation(operations, everything, async (operation) => {
            const request = await right(operation);
            await refused(operation, { ...request, path: `${request.path}?nobody_knows=1` }, 422, 'invalid');
            const known = (operation.op.parameters ?? []).find((one) => one.in === 'query');
            if (known) await refused(operation, { ...request, path: `${request.path}?${known.name}=1&${known.name}=1` }, 422, 'invalid');
        }),
        'a query value beyond its bounds is 422': () => everyOperation(operations, ({ op }) => op.parameters?.some((one) => one.in === 'query'), async (operation) => {
            const request = await right(operation);
            for (const one of operation.op.parameters.filter((each) => each.in === 'query')) {
                const bad = one.schema.enum || one.schema.format || one.schema.type === 'integer' ? ['', 'x', '99999999999999999999', '-1', '1.5'] : [one.schema.maxLength ? 'x'.repeat(one.schema.maxLength + 1) : null];
                for (const value of bad.filter((each) => each !== null)) await refused(operation, { ...request, path: `${request.path}?${one.name}=${value}` }, 422, 'invalid');
            }
        }),
        'a body that is no JSON is 400, no object 400, an unknown field 422': () => everyOperation(operations, takesJson, async (operation) => {
            const request = await right(operation);
            for (const body of ['{', '', '[]', '"text"', 'null', '{"a":1}trailing'])
                if (body !== '' || operation.op.requestBody.required) await refused(operation, { ...request, body, headers: { ...request.headers, 'Content-Type': 'application/json' } }, 400, 'malformed_request');
            if (!operation.path.startsWith('/v1/') && !isWebhook(operation.op)) await refused(operation, { ...request, body: { ...request.body, nobody_knows: 1 } }, 422, 'invalid');
        }),
        'a body of another type is 415, one too large 413': () => everyOperation(operations, ({ op }) => op.requestBody, async (operation) => {
            const request = await right(operation);
            if (takesJson(operation) && !isWebhook(operation.op)) await refused(operation, { ...request, body: '<a/>', headers: { ...request.headers, 'Content-Type': 'application/xml' } }, 415, 'unsupported_media_type');
            else if (operation.op.requestBody.content['image/png']) await refused(operation, { ...request, body: Buffer.from('GIF89a no picture') }, 415, 'unsupported_media_type');
            const answer = await backend.call(request.method, request.path, { ...request, body: Buffer.alloc(1024 * 1024 + 1, 32) }).catch((error) => error);
            if (!(answer instanceof Error)) assert.equal(`${answer.status} ${answer.json.code}`, '413 payload_too_large'); // or cut while we write
        }),
        'a change of what has an ETag needs it: 428 without, 412 with an old one': () => everyOperation(operations, ({ op }) => parameter(op, 'If-Match'), async (operation) => {
            const request = await right(operation);
            const { 'If-Match': now, ...without } = request.headers;
            await refused(operation, { ...request, headers: without }, 428, 'precondition_required');
            for (const stale of ['"0"', '"old"', `W/${now}`]) await refused(operation, { ...request, headers: { ...request.headers, 'If-Match': stale } }, 412, 'precondition_failed');
            const answer = await judged(operation, request);
            assert.ok(answer.status < 300, answer.text);
            assert.notEqual(answer.headers.etag, request.headers['If-Match'], 'a change changes the ETag');
        }),
        'what has an ETag is not sent twice': () => everyOperation(operations, ({ op }) => parameter(op, 'If-None-Match'), async (operation) => {
            const request = await right(operation);
            const etag = (await judged(operation, request)).headers.etag;
            for (const value of [etag, `W/${etag}`, `"x", ${etag}`, '*']) {
                const again = await judged(operation, { ...request, headers: { 'If-None-Match': value } });
                assert.equal(again.status, 304, value);
                assert.equal(again.headers.etag, etag);
            }
            assert.equal((await judged(operation, { ...request, headers: { 'If-None-Match': '"other"' } })).status, 200);
        }),
        'an Idempotency-Key that is required is required, sane, and answers once': () => everyOperation(operations, ({ op }) => parameter(op, 'Idempotency-Key')?.required, async (operation) => {
            const request = await right(operation);
            const { 'Idempotency-Key': key, ...without } = request.headers;
            await refused(operation, { ...request, headers: without }, 400, 'malformed_request');
            const first = await judged(operation, request);
            assert.ok(first.status < 300, first.text);
            const again = await judged(operation, request);
            assert.equal(again.status, first.status);
            assert.equal(again.headers['idempotency-replayed'], 'true');
            assert.deepEqual(again.json, first.json);
            await refused(operation, { ...request, body: { ...request.body, reason: 'another reason' } }, 422, 'idempotency_key_reused');
        }),
        'an Idempotency-Key that is not sane is 400': () => everyOperation(operations, ({ op }) => parameter(op, 'Idempotency-Key'), async (operation) => {
            const request = await right(operation);
            for (const key of ['a b', 'x'.repeat(129), 'é', '']) await refused(operation, { ...request, headers: { ...request.headers, 'Idempotency-Key': key } }, 400, 'malformed_request');
        }),
        'a method that is not described is 405 with Allow': async () => {
            const paths = Object.entries(document.paths);
            for (const [path, item] of paths) {
                const filled = path.replace(/\{[^}]+\}/g, randomUUID());
                const described = Object.keys(item).map((one) => one.toUpperCase());
                const allowed = [...described, ...(item.get ? ['HEAD'] : []), 'OPTIONS'].sort();
                for (const method of ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'].filter((one) => !described.includes(one))) {
                    const answer = await backend.call(method, filled, { token: backend.people.admin.token });
                    assert.equal(`${answer.status} ${answer.json.code}`, '405 method_not_allowed', `${method} ${path}`);
                    assert.deepEqual(answer.headers.allow.split(', ').sort(), allowed, `${method} ${path}`);
                }
                if (!item.get) {
                    const head = await backend.head(filled, { token: backend.people.admin.token });
                    assert.deepEqual([head.status, head.headers.allow.split(', ').sort(), head.body], [405, allowed, ''], `HEAD ${path}`);
                }
                const options = await backend.call('OPTIONS', filled);
                assert.equal(options.status, 204);
                assert.deepEqual(options.headers.allow.split(', ').sort(), allowed);
            }
            return `${paths.length} paths`;
        },
        'HEAD is GET without the body, refusals and streams too': () => everyOperation(operations, ({ method }) => method === 'GET', async (operation) => {
            const request = await right(operation);
            const ofTheConnection = ['connection', 'keep-alive', 'date', 'x-request-id'];
            for (const asked of [request, { ...request, token: undefined }, { ...request, token: 'nonsense' }, { ...request, path: `${request.path}?nobody_knows=1` }]) {
                const before = await ask(asked);
                const head = await backend.head(asked.path, asked);
                const after = await ask(asked);
                assert.equal(head.status, before.status);
                assert.equal(head.body, '');
                const names = Object.keys(before.headers).filter((name) => !ofTheConnection.includes(name));
                assert.deepEqual(Object.keys(head.headers).filter((name) => !ofTheConnection.includes(name)).sort(), names.sort());
                const changes = [...rateHeaders, ...(before.raw.equals(after.raw) ? [] : ['content-length', 'etag'])];
                for (const name of names.filter((each) => !changes.includes(each))) assert.equal(head.headers[name], before.headers[name], name);
            }
        }),
        'browsers of the allowed origin may call every path, others none': async () => {
            for (const [path, item] of Object.entries(document.paths)) {
                const filled = path.replace(/\{[^}]+\}/g, randomUUID());
                const method = Object.keys(item)[0].toUpperCase();
                const preflight = (origin) => backend.call('OPTIONS', filled, { headers: { Origin: origin, 'Access-Control-Request-Method': method, 'Access-Control-Request-Headers': 'authorization' } });
                const ours = (await preflight('https://app.example.com')).headers;
                assert.equal(ours['access-control-allow-origin'], 'https://app.example.com', path);
                assert.ok(ours['access-control-allow-methods'].includes(method), path);
                for (const name of (item[method.toLowerCase()].parameters ?? []).filter((one) => one.in === 'header').map((one) => one.name)) assert.ok(ours['access-control-allow-headers'].includes(name), `${path}: ${name}`);
                const theirs = (await preflight('https://evil.example.com')).headers;
                assert.equal(theirs['access-control-allow-origin'], undefined, path);
                assert.match(theirs.vary ?? '', /Origin/);
            }
            const seen = await backend.call('GET', '/api/v1/market/products', { headers: { Origin: 'https://app.example.com' } });
            for (const name of Object.keys(document.components.headers).filter((one) => !['Cache-Control', 'WWW-Authenticate'].includes(one)))
                assert.ok(seen.headers['access-control-expose-headers'].includes(name), `${name} is not exposed`);
        },
        "the caller's request id comes back if it is sane": async () => {
            for (const id of ['abc-123', 'x'.repeat(128)]) assert.equal((await backend.call('GET', '/health/live', { headers: { 'X-Request-Id': id } })).headers['x-request-id'], id);
            for (const id of ['a b', 'x'.repeat(129), '<script>']) assert.notEqual((await backend.call('GET', '/health/live', { headers: { 'X-Request-Id': id } })).headers['x-request-id'], id);
        },
        'a free user has five chat requests a minute, over all chat routes': async () => {
            const operation = operations.find(({ key }) => key === 'POST /api/v1/chat/completions');
            const request = await world.request(operation, backend.people.free);
            const statuses = [];
            for (let i = 0; i < 7; ++i) statuses.push((await judged(operation, { ...request, body: { ...request.body, message: '' }, headers: {} })).status);
            assert.deepEqual(statuses, [422, 422, 422, 422, 422, 429, 429]);
            const door = operations.find(({ key }) => key === 'POST /v1/chat/completions');
            const answer = await judged(door, { ...(await world.request(door, backend.people.free)), headers: {} });
            assert.equal(answer.status, 429);
            assert.ok(Number(answer.headers['retry-after']) >= 1);
        },
        'no answer was undeclared': async () => assert.equal(await metric(backend, 'companion_undeclared_answers_total'), 0),
    });
    await backend.stop();
    await tight();
}

// Another backend, whose common and sign-in limits are small.
async function tight() {
    const backend = await startBackend(program, 'RATE_LIMIT_COMMON=3', 'RATE_LIMIT_SIGN_IN=40');
    const document = (await backend.call('GET', '/api/v1/openapi.json')).json;
    const judge = new Judge(document);
    await run({
        'every limited route is limited': async () => {
            const seen = {};
            for (const operation of operationsOf(document).filter(({ op }) => op.responses['429'])) {
                const person = operation.op['x-roles'] ? backend.people.admin : operation.path.includes('/chat/') ? backend.people.free : backend.people.other;
                let answer;
                for (let i = 0; i < 45; ++i) {
                    answer = await backend.call(operation.method, operation.path.replace(/\{[^}]+\}/g, randomUUID()), { token: isPublic(operation.op) ? undefined : person.token, headers: { 'Idempotency-Key': randomUUID() }, body: operation.op.requestBody ? {} : undefined });
                    if (answer.status === 429) break;
                }
                assert.equal(answer.status, 429, operation.key);
                assert.deepEqual(judge.findings(operation, answer), [], operation.key);
                assert.equal(answer.headers['x-ratelimit-remaining'], '0', operation.key);
                assert.ok(Number(answer.headers['retry-after']) >= 1 && answer.headers['retry-after'] === String(answer.json.retry_after ?? answer.headers['retry-after']));
                seen[answer.headers['x-ratelimit-limit']] = (seen[answer.headers['x-ratelimit-limit']] ?? 0) + 1;
            }
            return JSON.stringify(seen);
        },
    });
    await backend.stop();
}

main().catch((error) => { console.error(error); process.exit(1); });
