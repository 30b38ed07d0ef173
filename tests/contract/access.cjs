// Who may call what: every route of the document as every kind of caller, on one's own and on another's object, against
// the table "Every route" of docs/roles.md. A route without a row fails, and a row without a route.
// usage: node access.cjs CONTRACT-BACKEND docs/roles.md [--print]
'use strict';
const assert = require('node:assert/strict');
const { randomUUID } = require('node:crypto');
const { readFileSync } = require('node:fs');
const { World, hasProblemCode, isErasure, isGood, isPublic, metric, operationsOf, run, startBackend } = require('./contract.cjs');

const [, , program, table, print] = process.argv;
const callers = ['nobody', 'api_key', 'user', 'admin', 'finance', 'support', 'qa', 'viewer'];

function rowsOf(file) {
    const rows = new Map();
    const text = readFileSync(file, 'utf8');
    for (const line of text.slice(text.indexOf('## Every route')).split('\n')) {
        const cells = line.split('|').slice(1, -1).map((cell) => cell.trim().replaceAll('`', ''));
        if (/^[A-Z]+ \//.test(cells[0] ?? '')) rows.set(cells[0], cells.slice(1));
    }
    return rows;
}

// "may", or the refusal's status.
function verdict(answer) {
    const code = hasProblemCode(answer);
    return answer.status === 401 || (answer.status === 403 && ['role_required', 'account_suspended'].includes(code)) ? String(answer.status) : 'may';
}

async function main() {
    const backend = await startBackend(program);
    const { people } = backend;
    const document = (await backend.call('GET', '/api/v1/openapi.json')).json;
    const operations = operationsOf(document);
    const world = new World(backend, document);
    const isOperators = (op) => Boolean(op['x-roles']);
    const isOwned = ({ op, path }) => !isOperators(op) && !isPublic(op) && path.includes('{');
    const send = async (operation, caller, owner) => {
        const person = people[caller];
        // What a caller without rights asks for exists and is well asked: only the right is missing.
        const maker = isOperators(operation.op) ? people.admin : ['nobody', 'api_key', 'expired', 'suspended'].includes(caller) ? people.user : person;
        const request = await world.request(operation, maker, owner ?? maker);
        const token = person?.token;
        return backend.call(request.method, request.path, { ...request, token: request.token && (/logout$/.test(request.path) || (isErasure(operation.key) && caller === 'user')) && !['nobody', 'api_key', 'expired', 'suspended'].includes(caller) ? request.token : token });
    };
    const expected = (operation) => {
        const row = callers.map((caller) => {
            if (isPublic(operation.op)) return 'may';
            if (caller === 'nobody') return '401';
            if (caller === 'api_key') return operation.op.security.some((one) => one.apiKey) ? 'may' : '401';
            return !isOperators(operation.op) || operation.op['x-roles'].includes(caller) ? 'may' : '403';
        });
        return [...row, isOwned(operation) ? '404' : operation.path.includes('{') && !isPublic(operation.op) ? 'may' : '–'];
    };
    if (print) {
        for (const operation of operations) console.log(`| \`${operation.key}\` | ${expected(operation).join(' | ')} |`);
        return backend.stop();
    }
    const rows = rowsOf(table);

    await run({
        'every route has a row, and every row a route': () => {
            assert.deepEqual([...rows.keys()].sort(), operations.map(({ key }) => key).sort());
            return `${rows.size} routes`;
        },
        'the document says the same': () => {
            for (const operation of operations) assert.deepEqual(rows.get(operation.key), expected(operation), operation.key);
        },
        'every kind of caller is let in or kept out as the table says': async () => {
            const wrong = [];
            let count = 0;
            for (const operation of operations) {
                const row = rows.get(operation.key) ?? [];
                for (const [i, caller] of callers.entries()) {
                    ++count;
                    const answer = await send(operation, caller);
                    if (verdict(answer) !== row[i]) wrong.push(`${operation.key} as ${caller}: ${answer.status} ${hasProblemCode(answer)}, the table says ${row[i]}`);
                    else if (row[i] === 'may' && answer.status >= 400 && answer.status !== 409 && !isGood(operation, answer)) wrong.push(`${operation.key} as ${caller}: ${answer.status} ${answer.text}`);
                    else if (row[i] === '403' && hasProblemCode(answer) !== 'role_required') wrong.push(`${operation.key} as ${caller}: ${hasProblemCode(answer)}`);
                }
            }
            assert.deepEqual(wrong, []);
            return `${count} requests`;
        },
        'a suspended admin is let in nowhere': async () => {
            for (const operation of operations.filter(({ op }) => !isPublic(op))) {
                const answer = await send(operation, 'suspended');
                assert.equal(`${answer.status} ${hasProblemCode(answer)}`, '403 account_suspended', operation.key);
            }
        },
        'an expired token is let in nowhere': async () => {
            for (const operation of operations.filter(({ op }) => !isPublic(op))) {
                const answer = await send(operation, 'expired');
                assert.equal(`${answer.status} ${hasProblemCode(answer)}`, '401 token_expired', operation.key);
            }
        },
        "another's object looks like none, to operators too, and stays as it was": async () => {
            const owned = operations.filter(isOwned);
            assert.ok(owned.length > 0);
            for (const operation of owned)
                for (const caller of ['user', 'admin', 'support']) {
                    const request = await world.request(operation, people[caller], people.other);
                    const answer = await backend.call(request.method, request.path, { ...request, token: people[caller].token });
                    const where = `${operation.key} as ${caller}`;
                    assert.equal(rows.get(operation.key).at(-1), '404', where);
                    assert.equal(`${answer.status} ${hasProblemCode(answer)}`, '404 not_found', where);
                    const nothing = await backend.call(request.method, operation.path.replace(/\{[^}]+\}/g, randomUUID()), { ...request, token: people[caller].token });
                    assert.equal(nothing.status, 404, where);
                    assert.equal(nothing.json.detail, answer.json.detail, where);
                    if (document.paths[operation.path].get) assert.equal((await backend.call('GET', request.path, { token: people.other.token })).status, 200, `${where}: its owner still has it`);
                }
            return `${owned.length} routes`;
        },
        "another's session in a body looks like none": async () => {
            const schemaOf = (op) => { const one = op.requestBody?.content['application/json']?.schema; return one?.$ref ? document.components.schemas[one.$ref.split('/').pop()] : one; };
            const named = operations.filter(({ op }) => schemaOf(op)?.properties?.session_id);
            assert.ok(named.length >= 4);
            const theirs = await world.session(people.other);
            for (const operation of named) {
                const request = await world.request(operation, people.user);
                const answer = await backend.call(request.method, request.path, { ...request, body: { ...request.body, session_id: theirs } });
                assert.equal(`${answer.status} ${hasProblemCode(answer)}`, '404 not_found', operation.key);
            }
            return `${named.length} routes`;
        },
        "only an admin changes an operator's account": async () => {
            const changes = operations.filter(({ method, path }) => method !== 'GET' && path.startsWith('/api/v1/admin/users/{id}'));
            assert.ok(changes.length >= 4);
            let count = 0;
            for (const operation of changes) {
                const request = await world.request(operation, people.admin);
                const at = (id) => operation.path.replace('{id}', id);
                for (const caller of operation.op['x-roles'].filter((role) => role !== 'admin'))
                    for (const whose of ['admin', 'finance', 'support', 'qa', 'viewer']) {
                        if (caller === whose && /suspend|restore/.test(operation.path)) continue; // oneself: 409 before
                        const answer = await backend.call(operation.method, at(people[whose].id), { ...request, token: people[caller].token, headers: { ...request.headers, ...(request.headers['Idempotency-Key'] ? { 'Idempotency-Key': randomUUID() } : {}) } });
                        assert.equal(`${answer.status} ${hasProblemCode(answer)}`, '403 role_required', `${operation.key} as ${caller} on ${whose}`);
                        ++count;
                    }
            }
            for (const path of ['suspend', 'restore', 'tier']) {
                const answer = await backend.call('POST', `/api/v1/admin/users/${people.viewer.id}/${path}`, { token: people.admin.token, body: path === 'tier' ? { tier: 'vip', reason: 'a test' } : { reason: 'a test' } });
                assert.equal(answer.status, 200, `admin: ${path}: ${answer.text}`);
            }
            return `${count} requests refused`;
        },
        'nobody suspends or restores themselves, however they spell their id': async () => {
            for (const act of ['suspend', 'restore'])
                for (const id of [people.admin.id, people.admin.id.toUpperCase()]) {
                    const answer = await backend.call('POST', `/api/v1/admin/users/${id}/${act}`, { token: people.admin.token, body: { reason: 'a test' } });
                    assert.equal(`${answer.status} ${hasProblemCode(answer)}`, '409 conflict', `${act} ${id}`);
                }
        },
        'no answer was undeclared': async () => assert.equal(await metric(backend, 'companion_undeclared_answers_total'), 0),
    });
    await backend.stop();
}

main().catch((error) => { console.error(error); process.exit(1); });
