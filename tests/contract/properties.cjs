// Requests made at random from the document, for every route: right ones, nearly right ones and wild ones. Whatever
// comes, the answer is one that the route declares, its problem is whole, and it is never a 500.
// usage: run-node DIR properties.cjs CONTRACT-BACKEND
//   CONTRACT_RUNS   requests for each route (60)        CONTRACT_SEED   repeats a run (20260301)
//   CONTRACT_ROUTE  part of "METHOD /path": only those
'use strict';
const assert = require('node:assert/strict');
const { randomUUID } = require('node:crypto');
const fc = require('fast-check');
const { isErasure, Judge, World, isGood, isPublic, metric, operationsOf, resolve, run, startBackend } = require('./contract.cjs');

const runs = Number(process.env.CONTRACT_RUNS ?? 60);
const seed = Number(process.env.CONTRACT_SEED ?? 20260301);

// --- values -----------------------------------------------------------------------------------------------------------
const nasty = fc.constantFrom('', ' ', '\u0000', 'a\u0000b', '\ud800', '\udfff\ud800', '👩‍👩‍👧‍👦'.repeat(40), 'İstanbul', '\u202eabc', '\ufeffx', "'; DROP TABLE users; --", '%', '_', '\\', '%00', '../../etc/passwd', '{{7*7}}', '<script>', 'x'.repeat(70_000), '0', '-0', '1e400', 'NaN', 'null', 'true', '2026-02-30T25:61:61Z', '2026-03-01T12:00:00Z', '0000-01-01T00:00:00Z', '9999-12-31T23:59:59.999999999+14:00', '-999999999999999.9999', '922337203685477.5807', '922337203685477.5808', '99999999999999999999', '0.00001', '00000000-0000-0000-0000-000000000000', '７', '[[rehearse: fail]]', '[[rehearse: tokens 99999]]', 'aria', 'aria:spicy', ':', 'aria:');
const numbers = fc.constantFrom(0, -0, 1, -1, 0.5, 1e-320, 2 ** 31 - 1, 2 ** 31, -(2 ** 31) - 1, 2 ** 53, -(2 ** 53), 2 ** 63, 1e308, -1e308, 4096, 4097);
const anything = fc.oneof(nasty, numbers, fc.constantFrom(null, true, false, [], {}, [[]], { a: { b: [] } }), fc.jsonValue({ maxDepth: 3 }));
const text = fc.oneof({ weight: 3, arbitrary: fc.string({ unit: 'grapheme', maxLength: 40 }) }, { weight: 1, arbitrary: fc.string({ unit: 'binary', maxLength: 40 }) }, { weight: 2, arbitrary: nasty });

// A value that the schema allows (its patterns and bounds kept).
function fitting(document, node, ids) {
    const schema = resolve(document, node);
    const of = (one) => fitting(document, one, ids);
    if (schema.const !== undefined) return fc.constant(schema.const);
    if (schema.enum) return fc.constantFrom(...schema.enum);
    if (schema.oneOf || schema.anyOf) return fc.oneof(...(schema.oneOf ?? schema.anyOf).map(of));
    const types = [schema.type ?? 'object'].flat();
    return fc.oneof(...types.map((type) => {
        switch (type) {
        case 'null': return fc.constant(null);
        case 'boolean': return fc.boolean();
        case 'integer': return fc.integer({ min: Math.max(schema.minimum ?? -(2 ** 31), -(2 ** 31)), max: Math.min(schema.maximum ?? 2 ** 31 - 1, 2 ** 31 - 1) });
        case 'number': return fc.double({ min: schema.minimum ?? -1e9, max: schema.maximum ?? 1e9, noNaN: true });
        case 'array': return fc.array(of(schema.items ?? {}), { minLength: schema.minItems ?? 0, maxLength: Math.min(schema.maxItems ?? 5, (schema.minItems ?? 0) + 5) });
        case 'string': return fittingText(schema, ids);
        default: {
            const names = Object.keys(schema.properties ?? {});
            if (!names.length) return fc.dictionary(fc.string({ maxLength: 8 }), fc.jsonValue({ maxDepth: 1 }), { maxKeys: 3 });
            return fc.record(Object.fromEntries(names.map((name) => [name, of(schema.properties[name])])), { requiredKeys: schema.required ?? [] });
        }
        }
    }));
}
function fittingText(schema, ids) {
    if (schema.format === 'uuid') return fc.oneof(fc.constantFrom(...ids), fc.uuid());
    if (schema.format === 'date-time') return fc.date({ min: new Date('0001-01-01'), max: new Date('9999-12-31'), noInvalidDate: true }).map((date) => date.toISOString());
    if (schema.pattern) return fc.stringMatching(new RegExp(schema.pattern)).filter((one) => one.length <= (schema.maxLength ?? 1e6));
    const long = fc.constant('ü'.repeat(Math.min(schema.maxLength ?? 200, 20_000)));
    const examples = schema.examples ? [fc.constantFrom(...schema.examples)] : [];
    return fc.oneof(fc.string({ unit: 'grapheme', minLength: schema.minLength ?? 0, maxLength: Math.min(schema.maxLength ?? 60, 60) }), long, ...examples);
}

// One place of a right body made wrong.
const places = (value, path = []) => (value === null || typeof value !== 'object' ? [path] : [path, ...Object.keys(value).flatMap((key) => places(value[key], [...path, key]))]);
function changed(value, at, by) {
    if (!at.length) return by.kind === 'add' && value && typeof value === 'object' && !Array.isArray(value) ? { ...value, [by.name]: by.value } : by.value;
    const copy = Array.isArray(value) ? [...value] : { ...value };
    if (at.length === 1 && by.kind === 'drop') { if (Array.isArray(copy)) copy.splice(at[0], 1); else delete copy[at[0]]; return copy; }
    copy[at[0]] = changed(copy[at[0]], at.slice(1), by);
    return copy;
}
const nearly = (right) => fc.tuple(right, fc.nat(), fc.record({ kind: fc.constantFrom('set', 'set', 'set', 'drop', 'add'), name: text, value: anything })).map(([value, n, by]) => { const all = places(value); return changed(value, all[n % all.length], by); });

// Bytes that are no JSON, or JSON as nobody writes it.
const wildBytes = fc.oneof(
    fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes)),
    fc.constantFrom('{', '[', '"', '{"a":', '{"a":1,}', '{"a":1e400}', '{"a":-}', '{"a":01}', '\ufeff{}', '{"a":"\\ud800"}', '{"a":"\\u0000"}', '{"\\u0000":1}', '{"a":1,"a":2}', 'nul', '{}{}', '/**/{}', "{'a':1}", '{"a":NaN}', '{"max_tokens":99999999999999999999999}', '['.repeat(5000), '{"a":'.repeat(2000), `{"a":"${'\\ud83d'}"}`, '{"a":"\tb"}').map((one) => Buffer.from(one)),
    anything.map((one) => Buffer.from(JSON.stringify(one) ?? 'null')),
);

const headerValue = fc.string({ maxLength: 200 }).map((one) => one.replace(/[^\x20-\x7e]/g, '?'));
const oddHeaders = fc.record({
    'If-Match': fc.oneof(fc.constantFrom('*', '"1"', '"c1"', 'W/"1"', '"', ',', '"1", "2"', '"c999999999999999999999"'), headerValue),
    'If-None-Match': fc.oneof(fc.constantFrom('*', '"', 'W/'), headerValue),
    'Idempotency-Key': fc.oneof(fc.uuid(), fc.constantFrom('same', 'a b', 'x'.repeat(129), ''), headerValue),
    'Last-Event-ID': fc.oneof(fc.constantFrom(':', '0', `${randomUUID()}:5`, `${randomUUID()}:-5`, `${randomUUID()}:99999999999999999999`), headerValue),
    'X-Request-Id': fc.oneof(fc.constantFrom('abc', 'a b', 'x'.repeat(200)), headerValue),
    Accept: fc.constantFrom('*/*', 'text/event-stream', 'application/xml', ';'),
    Origin: fc.constantFrom('https://app.example.com', 'null', 'x'),
    Range: fc.constantFrom('bytes=0-1', 'bytes=-', 'x'),
    'Content-Type': fc.constantFrom('application/json', 'application/json; charset=utf-8', 'APPLICATION/JSON', 'application/xml', 'text/plain', 'image/png', '', ';', 'multipart/form-data; boundary=x'),
}, { requiredKeys: [] });

// --- requests ---------------------------------------------------------------------------------------------------------
const segment = (value) => encodeURIComponent(value.toWellFormed ? value.toWellFormed() : value).replaceAll('.', '%2E');
const isSendable = (path) => path.length < 8000;

function requestFor(document, { method, path, op }, ids) {
    const segments = fc.array(fc.oneof({ weight: 6, arbitrary: fc.constantFrom(...ids) }, { weight: 1, arbitrary: fc.uuid() }, { weight: 1, arbitrary: fc.constantFrom(...ids).map((one) => one.toUpperCase()) }, { weight: 2, arbitrary: text.filter((one) => one.length > 0 && one.length < 2000) }), { minLength: 3, maxLength: 3 });
    const queries = (op.parameters ?? []).filter((one) => one.in === 'query');
    const right = fc.record(Object.fromEntries(queries.map((one) => [one.name, fitting(document, one.schema, ids).map(String)])), { requiredKeys: [] });
    const odd = fc.dictionary(fc.oneof(fc.constantFrom('limit', 'offset', 'cursor', 'q', 'from', 'to', ...queries.map((one) => one.name)), text.filter((one) => one.length < 500)), fc.oneof(text.filter((one) => one.length < 1000), numbers.map(String)), { maxKeys: 3 });
    const query = fc.oneof({ weight: 3, arbitrary: right }, { weight: 2, arbitrary: odd }, { weight: 1, arbitrary: fc.constant({}) });
    const schema = op.requestBody?.content['application/json']?.schema;
    const json = schema ? fitting(document, schema, ids) : fc.jsonValue({ maxDepth: 2 });
    const body = op.requestBody || method === 'POST'
        ? fc.oneof({ weight: 4, arbitrary: json }, { weight: 5, arbitrary: nearly(json) }, { weight: 2, arbitrary: wildBytes }, { weight: 1, arbitrary: fc.constant(undefined) })
        : fc.oneof({ weight: 9, arbitrary: fc.constant(undefined) }, { weight: 1, arbitrary: wildBytes });
    const caller = fc.oneof({ weight: 8, arbitrary: fc.constant(op['x-roles'] ? 'admin' : 'user') }, { weight: 3, arbitrary: fc.constantFrom('admin', 'other', 'finance', 'support', 'qa', 'viewer', 'api_key') }, { weight: 1, arbitrary: fc.constantFrom('nobody', 'expired', 'suspended') });
    return fc.record({ segments, query, body, caller, headers: fc.oneof({ weight: 3, arbitrary: fc.constant({}) }, { weight: 2, arbitrary: oddHeaders }), sane: fc.boolean() }).map((one) => {
        let used = 0;
        const filled = path.replace(/\{[^}]+\}/g, () => segment(one.segments[used++]));
        const search = Object.entries(one.query).map(([name, value]) => `${segment(name)}=${segment(value)}`).join('&');
        const headers = { ...one.headers };
        if (one.sane) { // what a careful client sends, so that the request comes further than the first check
            if ((op.parameters ?? []).some((each) => each.name === 'Idempotency-Key')) headers['Idempotency-Key'] = randomUUID();
            if ((op.parameters ?? []).some((each) => each.name === 'If-Match')) headers['If-Match'] = '*';
            if (one.body !== undefined) headers['Content-Type'] = 'application/json';
        }
        return { method, path: search ? `${filled}?${search}` : filled, headers, body: one.body, caller: one.caller };
    }).filter((one) => isSendable(one.path));
}

async function main() {
    const backend = await startBackend(process.argv[2]);
    const { people } = backend;
    const document = (await backend.call('GET', '/api/v1/openapi.json')).json;
    const judge = new Judge(document);
    const world = new World(backend, document);
    const wanted = operationsOf(document).filter(({ key }) => key.includes(process.env.CONTRACT_ROUTE ?? ''));
    const statuses = {};
    let sent = 0, signedIn = 0;

    // Ids of all kinds: the callers' own, another's, and none's. Nobody who calls is among them: they are not to be
    // suspended by their own wild requests.
    const ids = { all: [] };
    for (const who of [people.user, people.other]) ids.all.push(await world.session(who), await world.message(who), await world.device(who));
    ids.all.push(await world.character(), await world.character(), people.target.id, people.free.id, randomUUID(), 'aria', '00000000-0000-0000-0000-000000000000');

    // Random requests sign people out (logout, their own devices); then they sign in again.
    const again = async (caller) => { ++signedIn; people[caller] = { ...people[caller], token: (await world.login(people[caller])).access_token }; };
    const renewable = (caller) => !['nobody', 'api_key', 'expired', 'suspended'].includes(caller);
    const send = async (operation, { caller: drawn, ...request }) => {
        // Nobody who calls is to erase themselves by a wild request: an operator is refused.
        request.caller = isErasure(operation.key) && ['user', 'other'].includes(drawn) ? 'admin' : drawn;
        const token = isPublic(operation.op) && request.caller !== 'admin' ? undefined : people[request.caller]?.token;
        return backend.call(request.method, request.path, { headers: request.headers, body: request.body, token });
    };
    const failures = [];
    const attack = async (operation) => {
        const property = fc.asyncProperty(requestFor(document, operation, ids.all), async (request) => {
            ++sent;
            let answer = await send(operation, request);
            // Another route's requests, which run beside these, may have ended the new sign-in as well.
            for (let i = 0; i < 5 && answer.status === 401 && renewable(request.caller) && !isPublic(operation.op); ++i) {
                await again(request.caller);
                answer = await send(operation, request);
            }
            if (renewable(request.caller) && !isPublic(operation.op)) assert.notEqual(answer.status, 401, 'kept out after signing in again');
            statuses[answer.status] = (statuses[answer.status] ?? 0) + 1;
            assert.deepEqual(judge.findings(operation, answer), []);
        });
        const result = await fc.check(property, { numRuns: runs, seed, endOnFailure: process.env.CI === 'fast' });
        if (result.failed) failures.push(`${operation.key} (CONTRACT_SEED=${result.seed}, path ${result.counterexamplePath}): ${result.errorInstance?.message ?? result.error}\n  with ${JSON.stringify(result.counterexample?.[0])?.slice(0, 2000)}`);
    };

    await run({
        [`${wanted.length} routes, ${runs} random requests each, seed ${seed}`]: async () => {
            const queue = [...wanted];
            await Promise.all(Array.from({ length: 4 }, async () => { while (queue.length) await attack(queue.shift()); }));
            assert.deepEqual(failures, [], failures.join('\n\n'));
            return `${sent} requests, ${signedIn} times signed in again, answers ${JSON.stringify(statuses)}`;
        },
        'every route still answers a right request': async () => {
            for (const operation of wanted) {
                const who = operation.op['x-roles'] ? 'admin' : 'user';
                await again(who);
                const request = await world.request(operation, people[who]);
                const answer = await backend.call(request.method, request.path, request);
                assert.ok(isGood(operation, answer) || answer.status === 409, `${operation.key}: ${answer.status} ${answer.text.slice(0, 300)}`);
            }
        },
        'no answer was undeclared': async () => assert.equal(await metric(backend, 'companion_undeclared_answers_total'), 0),
    });
    await backend.stop();
}

main().catch((error) => { console.error(error); process.exit(1); });
