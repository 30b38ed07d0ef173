// What the contract's tests share: a backend, its API document, requests, and answers held against the document.
'use strict';
const assert = require('node:assert/strict');
const http = require('node:http');
const { createHmac, randomUUID } = require('node:crypto');
const net = require('node:net');
const { spawn } = require('node:child_process');
const { createInterface } = require('node:readline');

const agent = new http.Agent({ keepAlive: true, maxSockets: 64 });

// One request; resolves to the whole answer. Throws only when the connection fails.
function send(url, method, path, { token, headers = {}, body } = {}) {
    const all = { ...headers };
    if (token) all.Authorization = `Bearer ${token}`;
    let bytes = body;
    if (body !== undefined && !Buffer.isBuffer(body) && typeof body !== 'string') {
        bytes = JSON.stringify(body);
        if (!Object.keys(all).some((name) => name.toLowerCase() === 'content-type')) all['Content-Type'] = 'application/json';
    }
    if (bytes !== undefined) all['Content-Length'] = Buffer.byteLength(bytes);
    const at = new URL(url);
    return new Promise((done, fail) => {
        const request = http.request({ host: at.hostname, port: at.port, method, path, headers: all, agent }, (answer) => {
            const chunks = [];
            answer.on('data', (chunk) => chunks.push(chunk));
            answer.on('error', fail);
            answer.on('end', () => {
                const raw = Buffer.concat(chunks);
                const type = (answer.headers['content-type'] ?? '').split(';')[0];
                let json;
                if (/json$/.test(type)) try { json = JSON.parse(raw.toString()); } catch { json = undefined; }
                done({ status: answer.statusCode, headers: answer.headers, type, raw, text: raw.toString(), json });
            });
        });
        request.on('error', fail);
        request.setTimeout(60_000, () => request.destroy(new Error(`no answer to ${method} ${path} in 60 s`)));
        if (bytes !== undefined) request.write(bytes);
        request.end();
    });
}

// HEAD, with every byte that comes until the server closes: node's own client would not show a body.
function sendHead(url, path, { token, headers = {} } = {}) {
    const at = new URL(url);
    const all = { Host: at.host, Connection: 'close', ...headers, ...(token ? { Authorization: `Bearer ${token}` } : {}) };
    const words = `HEAD ${path} HTTP/1.1\r\n${Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n`;
    return new Promise((done, fail) => {
        const socket = net.connect(Number(at.port), at.hostname, () => socket.write(words));
        const chunks = [];
        socket.on('data', (chunk) => chunks.push(chunk));
        socket.on('error', fail);
        socket.setTimeout(60_000, () => socket.destroy(new Error(`no end to HEAD ${path} in 60 s`)));
        socket.on('end', () => {
            socket.end();
            const text = Buffer.concat(chunks).toString('latin1');
            const end = text.indexOf('\r\n\r\n');
            if (end < 0) return fail(new Error(`HEAD ${path}: no whole head: ${text}`));
            const [status, ...lines] = text.slice(0, end).split('\r\n');
            const named = lines.map((line) => [line.slice(0, line.indexOf(':')).toLowerCase(), line.slice(line.indexOf(':') + 1).trim()]);
            done({ status: Number(status.split(' ')[1]), headers: Object.fromEntries(named), body: text.slice(end + 4) });
        });
    });
}

async function startBackend(program, ...settings) {
    const child = spawn(program, settings, { stdio: ['pipe', 'pipe', 'inherit'] });
    const line = await new Promise((done, fail) => {
        createInterface({ input: child.stdout }).once('line', done);
        child.once('exit', (code) => fail(new Error(`the backend ended with ${code}`)));
    });
    const ready = JSON.parse(line);
    const stop = () => new Promise((done) => { child.removeAllListeners('exit'); child.once('exit', done); child.stdin.end(); });
    const call = (method, path, options) => send(ready.url, method, path, options);
    const head = (path, options) => sendHead(ready.url, path, options);
    return { ...ready, stop, call, head };
}

// The operations of the document: {method, path, op, key: "GET /path"}.
function operationsOf(document) {
    const all = [];
    for (const [path, item] of Object.entries(document.paths))
        for (const [method, op] of Object.entries(item)) all.push({ method: method.toUpperCase(), path, op, key: `${method.toUpperCase()} ${path}` });
    return all;
}

function resolve(document, node) {
    while (node && node.$ref) node = node.$ref.slice(2).split('/').reduce((at, name) => at[name.replaceAll('~1', '/').replaceAll('~0', '~')], document);
    return node;
}

const isPublic = (op) => op.security.length === 0 || op.security.some((one) => Object.keys(one).length === 0);
const isWebhook = (op) => op.tags.includes('Webhooks'); // believed by its signature alone
const parameter = (op, name) => (op.parameters ?? []).find((one) => one.name === name);
const hasProblemCode = (answer) => answer.json?.code ?? answer.json?.error?.code;

// The events of a stream: {id, name, data}.
function eventsOf(text) {
    const events = [];
    let event = { data: [] };
    for (const line of text.split(/\r?\n/)) {
        if (line === '') {
            if (event.data.length) events.push({ ...event, data: event.data.join('\n') });
            event = { data: [] };
        } else if (line.startsWith('data:')) event.data.push(line.slice(5).replace(/^ /, ''));
        else if (line.startsWith('id:')) event.id = line.slice(3).trim();
        else if (line.startsWith('event:')) event.name = line.slice(6).trim();
    }
    return events;
}

// Fields that the document does not name are findings too: every model is closed, but for what only narrows another.
function closed(node, insideAllOf = false) {
    if (Array.isArray(node)) return node.map((one) => closed(one, insideAllOf));
    if (node === null || typeof node !== 'object') return node;
    const copy = {};
    for (const [name, value] of Object.entries(node)) copy[name] = ['example', 'examples', 'default', 'enum', 'const'].includes(name) ? value : closed(value, name === 'allOf');
    const isModel = copy.properties && (copy.type === 'object' || Array.isArray(copy.type)) && !insideAllOf;
    if (isModel && copy.additionalProperties === undefined) copy.additionalProperties = false;
    return copy;
}

class Judge {
    constructor(document) {
        const Ajv = require('ajv/dist/2020');
        const formats = require('ajv-formats');
        this.document = document;
        this.ajv = new Ajv({ strict: false, allErrors: false, validateFormats: true });
        formats(this.ajv);
        this.ajv.addSchema({ ...closed(document), $id: 'doc' });
        this.compiled = new Map();
    }

    // A schema by its place in the document: ['paths', '/x', 'get', …].
    validator(place) {
        const pointer = place.map((name) => encodeURIComponent(String(name).replaceAll('~', '~0').replaceAll('/', '~1'))).join('/');
        if (!this.compiled.has(pointer)) this.compiled.set(pointer, this.ajv.compile({ $ref: `doc#/${pointer}` }));
        return this.compiled.get(pointer);
    }

    // Every way in which the answer breaks the document's word; [] is what is wanted.
    findings({ method, path, op }, answer) {
        const found = [];
        if (!/^[A-Za-z0-9._-]{1,128}$/.test(answer.headers['x-request-id'] ?? '')) found.push('no sane X-Request-Id');
        if (answer.status === 500) found.push('500');
        const declared = op.responses[answer.status];
        if (!declared) return [...found, `status ${answer.status} (${hasProblemCode(answer)}) is not declared`];
        const place = declared.$ref ? declared.$ref.slice(2).split('/') : ['paths', path, method.toLowerCase(), 'responses', answer.status];
        const response = resolve(this.document, declared);
        found.push(...this.headerFindings(response, answer));
        if (!response.content) return answer.raw.length ? [...found, 'a body that is not declared'] : found;
        const type = Object.keys(response.content).find((one) => one.split(';')[0] === answer.type);
        if (!type) return [...found, `content type ${answer.type || '(none)'} is not declared for ${answer.status}`];
        return [...found, ...this.bodyFindings([...place, 'content', type, 'schema'], answer)];
    }

    headerFindings(response, answer) {
        const found = [];
        for (const [name, reference] of Object.entries(response.headers ?? {})) {
            const value = answer.headers[name.toLowerCase()];
            const header = resolve(this.document, reference);
            if (value === undefined) {
                if (header.required) found.push(`${answer.status} without the header ${name}`);
            } else if (!this.validator(['components', 'headers', name, 'schema'])(header.schema.type === 'integer' ? Number(value) : value)) found.push(`the header ${name}: ${value}`);
        }
        return found;
    }

    bodyFindings(place, answer) {
        const complaint = (validate) => `${answer.status}: ${this.ajv.errorsText(validate.errors)} in ${answer.text.slice(0, 300)}`;
        if (answer.type === 'text/event-stream') {
            const validate = this.validator([...place, 'contentSchema']);
            const bad = eventsOf(answer.text).filter((event) => !validate(event.data === '[DONE]' ? event.data : JSON.parse(event.data)));
            return bad.map((event) => { validate(event.data === '[DONE]' ? event.data : JSON.parse(event.data)); return `event ${event.data.slice(0, 300)}: ${this.ajv.errorsText(validate.errors)}`; });
        }
        if (!/json$/.test(answer.type)) return [];
        if (answer.json === undefined) return [`${answer.status}: the body is not JSON: ${answer.text.slice(0, 200)}`];
        const validate = this.validator(place);
        return validate(answer.json) ? [] : [complaint(validate)];
    }

    // Is this request one that the document allows? [] if so.
    requestFindings({ method, path, op }, body) {
        if (!op.requestBody) return [];
        if (body === undefined) return op.requestBody.required ? ['no body'] : [];
        const validate = this.validator(['paths', path, method.toLowerCase(), 'requestBody', 'content', 'application/json', 'schema']);
        return validate(body) ? [] : [this.ajv.errorsText(validate.errors)];
    }
}

// What the sandbox, the only provider here, does not offer: a right request is answered 501.
const offeredElsewhere = new Set(['POST /api/v1/market/portal']);
function isGood(operation, answer) {
    return answer.status < 300 || (answer.status === 501 && offeredElsewhere.has(operation.key));
}

const isErasure = (key) => key === 'DELETE /api/v1/auth/me';

// Makes objects to ask for, and requests that are right: what the document cannot say by itself. A route that is not
// named here is asked with its document's own example, its id taken from the list that the path without the id gives.
class World {
    constructor(backend, document) {
        this.backend = backend;
        this.document = document;
        this.count = 0;
        this.objects = {
            '/api/v1/chat/sessions/{id}': (who) => this.session(who),
            '/api/v1/chat/messages/{id}': (who) => this.message(who),
            '/api/v1/chat/stream/{message_id}': (who) => this.message(who),
            '/api/v1/memories/{id}': (who) => this.memory(who),
            '/api/v1/memory-receipts/{id}': async (who) => (await this.must('DELETE', '/api/v1/memories', who)).json.id,
            '/api/v1/auth/devices/{id}': (who) => this.device(who),
            '/api/v1/auth/api-keys/{id}': (who) => this.apiKey(who),
            '/api/v1/config/characters/{id}': async () => 'aria',
            '/api/v1/admin/characters/{id}': () => this.character(),
            '/api/v1/admin/users/{id}': async () => this.backend.people.target.id,
            '/api/v1/market/payments/{id}': (who) => this.payment(who),
            '/api/v1/admin/payments/{id}': async () => this.payment(await this.buyer()),
            '/api/v1/admin/debts/{id}': () => this.debt(),
            '/api/v1/admin/subscriptions/{id}': () => this.subscription(),
            '/api/v1/admin/products/{code}': () => this.product(),
            '/api/v1/admin/tiers/{code}': async () => 'premium',
            '/api/v1/admin/policies/rails/{rail}': async () => 'sandbox',
            '/api/v1/admin/policies/regions/{region}': async () => 'ZZ',
            '/api/v1/admin/provider-products/{id}': () => this.providerProduct(),
            '/api/v1/admin/reconciliation/{id}': async () => (await this.unusable()).difference,
            '/api/v1/admin/webhooks/{id}': async () => (await this.unusable()).webhook,
            '/api/v1/admin/sandbox/payments/{reference}': () => this.sandboxPayment(),
            '/api/v1/admin/sandbox/disputes/{reference}': () => this.sandboxDispute(),
            '/api/v1/admin/sandbox/subscriptions/{reference}': () => this.sandboxSubscription(),
            '/api/v1/admin/moderation/events/{id}': () => this.moderated(),
            '/api/v1/admin/moderation/rules/versions/{version}': () => this.published(),
            '/api/v1/notices/{id}': (who) => this.notice(who),
            '/sandbox/checkout/{id}': async () => this.checkout(await this.buyer()),
        };
        this.bodies = {
            'POST /api/v1/auth/login': async (who) => ({ provider: 'access_key', token: who.access_key }),
            'POST /api/v1/auth/refresh': async (who) => ({ refresh_token: (await this.login(who)).refresh_token }),
            'POST /api/v1/auth/age-verification': async () => ({ method: 'development', reference: 'contract' }),
            'POST /api/v1/chat/sessions': async () => ({ character: 'aria', title: 'Contract' }),
            'POST /api/v1/chat/completions': async (who) => ({ session_id: await this.session(who), message: 'Hello Aria' }),
            'POST /api/v1/chat/stream': async (who) => ({ session_id: await this.session(who), message: 'Hello Aria' }),
            'POST /api/v1/chat/quote': async (who) => ({ session_id: await this.session(who), message: 'Hello Aria' }),
            'PATCH /api/v1/memories/{id}': async () => ({ text: `Put right ${randomUUID()}` }),
            'POST /api/v1/admin/users/{id}/memories': async () => ({ reason: 'for the contract' }),
            'POST /api/v1/admin/characters': async () => this.newCharacter(),
            'POST /api/v1/admin/characters/{id}/rollback': async () => ({ version: 1, reason: 'for the contract' }),
            'POST /api/v1/auth/consents': async () => ({ kind: 'terms', version: '2026-01', given: true }),
            'PATCH /api/v1/auth/me': async () => ({ display_name: `Contract ${randomUUID().slice(0, 8)}` }),
            'POST /api/v1/market/buy_credits': async () => ({ product: 'starter', provider: 'sandbox' }),
            'POST /api/v1/market/subscribe': async (who) => ({ tier: (await this.subscriptionOf(who))?.tier === 'premium' ? 'vip' : 'premium', provider: 'sandbox' }),
            'POST /api/v1/market/portal': async () => ({ provider: 'sandbox' }),
            'POST /api/v1/admin/payments/{id}/refund': async () => ({ reason: 'for the contract' }),
            'POST /api/v1/admin/debts/{id}/forgive': async () => ({ amount: '1', reason: 'for the contract' }),
            'POST /api/v1/admin/reconciliation/run': async () => ({ provider: 'sandbox', day: '2026-01-01' }),
            'POST /api/v1/admin/products': async () => this.newProduct(),
            'PUT /api/v1/admin/products/{code}': async (who, path) => ({ ...this.newProduct(), code: path.split('/').pop() }),
            'PUT /api/v1/admin/tiers/{code}': async (who, path) => (await this.must('GET', path, this.backend.people.admin)).json,
            'PUT /api/v1/admin/policies/rails/{rail}': async () => ({ spicy: true, reason: 'for the contract' }),
            'PUT /api/v1/admin/policies/regions/{region}': async () => ({ spicy: true, reason: 'for the contract' }),
            'PUT /api/v1/admin/provider-products': async () => ({ provider: 'sandbox', reference: `made-${randomUUID()}`, kind: 'credits', product: 'popular' }),
            'POST /api/v1/admin/moderation/events/{id}/act': async () => ({ act: 'dismiss', reason: 'for the contract' }),
            'POST /api/v1/admin/moderation/events/{id}/text': async () => ({ reason: 'for the contract' }),
            'PUT /api/v1/admin/moderation/rules/draft': async () => ({ files: {}, note: 'for the contract' }),
            'POST /api/v1/admin/moderation/rules/test': async () => ({ texts: [{ text: 'Good evening' }] }),
            'POST /api/v1/admin/moderation/rules/publish': async () => ({ reason: 'for the contract' }),
            'POST /api/v1/admin/moderation/rules/rollback': async () => ({ version: 0, reason: 'for the contract' }),
            'POST /api/v1/webhooks/sandbox': async () => this.event({}),
            'POST /sandbox/checkout/{id}': async () => Buffer.from('outcome=pay'),
            'POST /api/v1/admin/persona-tests': async () => ({ character_id: await this.character(), messages: [{ role: 'user', content: 'Hello' }] }),
        };
    }

    // What must be so before the request can succeed: `path` is the request's own, with its id.
    async prepare(key, path, who) {
        const admin = this.backend.people.admin;
        const character = path.split('/').slice(0, 6).join('/');
        const change = async (method, to, body) => this.must(method, to, admin, body, { 'If-Match': (await this.must('GET', character, admin)).headers.etag });
        const redraft = () => change('PUT', character, { name: 'Again', system_prompt: `You are made again ${randomUUID()}.` });
        if (/rules\/(test|publish)$/.test(key)) await this.draft();
        if (key === 'POST /api/v1/market/cancel') await this.subscribed(who);
        if (key === 'POST /api/v1/admin/characters/{id}/publish') await redraft();
        if (key === 'POST /api/v1/admin/characters/{id}/restore') await change('DELETE', character);
        if (key === 'POST /api/v1/admin/characters/{id}/rollback') {
            await redraft();
            await change('POST', `${character}/publish`);
        }
    }

    async must(method, path, who, body, headers = {}) {
        const answer = await this.backend.call(method, path, { token: who?.token, body, headers });
        assert.ok(answer.status < 300, `${method} ${path}: ${answer.status} ${answer.text}`);
        return answer;
    }

    async login(who) { return (await this.must('POST', '/api/v1/auth/login', null, { provider: 'access_key', token: who.access_key })).json; }
    async session(who) { return (await this.must('POST', '/api/v1/chat/sessions', who, { character: 'aria' })).json.id; }
    async message(who) {
        const session_id = await this.session(who);
        return (await this.must('POST', '/api/v1/chat/completions', who, { session_id, message: 'Hello', max_tokens: 20 })).json.companion.message_id;
    }
    // What was said is remembered a moment later.
    async memory(who) {
        const id = await this.message(who);
        await this.until('the memory', '/api/v1/memories?kind=turn&limit=100', who, (list) => list.items.some((one) => one.id === id));
        return id;
    }
    // Somebody has at most twenty: the oldest makes room.
    async apiKey(who) {
        const { items } = (await this.must('GET', '/api/v1/auth/api-keys?limit=100', who)).json;
        if (items.length >= 20) await this.must('DELETE', `/api/v1/auth/api-keys/${items.at(-1).id}`, who);
        return (await this.must('POST', '/api/v1/auth/api-keys', who, { name: 'made' })).json.id;
    }
    async device(who) {
        await this.login(who);
        const list = (await this.must('GET', '/api/v1/auth/devices?limit=100', who)).json.items;
        return list.find((one) => !one.current).id;
    }
    // Money: bought at the sandbox and paid on its page; its webhook brings the rest in a moment.
    // An operator, who is not suspended for a dispute; signed in by itself, whatever happens to the others' devices.
    async buyer() { return { ...this.backend.people.qa, token: (await this.login(this.backend.people.qa)).access_token }; }
    async checkout(who, what = { product: 'starter', provider: 'sandbox' }, path = 'buy_credits') {
        const started = (await this.must('POST', `/api/v1/market/${path}`, who, what, { 'Idempotency-Key': randomUUID() })).json;
        this.lastPayment = started.payment_id;
        return started.checkout_url ? new URL(started.checkout_url).pathname.split('/').pop() : null;
    }
    async pay(checkout) { await this.must('POST', `/sandbox/checkout/${checkout}`, null, 'outcome=pay', { 'Content-Type': 'application/x-www-form-urlencoded' }); }
    async until(what, path, who, holds) {
        for (let i = 0; i < 400; ++i) {
            const { json } = await this.must('GET', path, who);
            if (holds(json)) return json;
            await new Promise((done) => setTimeout(done, 25));
        }
        throw new Error(`${what} did not come about`);
    }
    async payment(who) {
        const checkout = await this.checkout(who);
        const id = this.lastPayment;
        await this.pay(checkout);
        await this.until('the payment', `/api/v1/market/payments/${id}`, who, (one) => one.status === 'paid');
        return id;
    }
    // A debt: credits refunded that are gone. Older ones are let off first, or the purchase would pay them.
    async debt() {
        const { admin } = this.backend.people;
        const open = async () => (await this.must('GET', '/api/v1/admin/debts?limit=100', admin)).json.items.filter((one) => one.user_id === this.backend.people.qa.id);
        const key = () => ({ 'Idempotency-Key': randomUUID() });
        for (const one of await open()) await this.must('POST', `/api/v1/admin/debts/${one.id}/forgive`, admin, { amount: one.remaining, reason: 'for the contract' }, key());
        const id = await this.payment(await this.buyer());
        const { purchased } = (await this.must('GET', `/api/v1/admin/users/${this.backend.people.qa.id}/wallet`, admin)).json;
        await this.must('POST', `/api/v1/admin/users/${this.backend.people.qa.id}/adjustments`, admin, { bucket: 'purchased', amount: `-${purchased}`, reason: 'for the contract' }, key());
        await this.must('POST', `/api/v1/admin/payments/${id}/refund`, admin, { reason: 'for the contract' }, key());
        return (await open())[0].id;
    }
    async subscriptionOf(who) {
        const { subscription } = (await this.must('GET', '/api/v1/market/subscription', who)).json;
        return subscription && !['expired', 'refunded'].includes(subscription.status) ? subscription : null;
    }
    async subscribed(who) {
        if ((await this.subscriptionOf(who))?.status === 'active') return;
        const checkout = await this.checkout(who, { tier: 'premium', provider: 'sandbox' }, 'subscribe');
        if (checkout) await this.pay(checkout);
        await this.until('the subscription', '/api/v1/market/subscription', who, ({ subscription }) => subscription?.status === 'active');
    }
    async subscription() {
        await this.subscribed(await this.buyer());
        return (await this.must('GET', `/api/v1/admin/subscriptions?user=${this.backend.people.qa.id}`, this.backend.people.admin)).json.items[0].id;
    }
    async sandboxPayment() {
        const { references } = (await this.must('GET', `/api/v1/admin/payments/${await this.payment(await this.buyer())}`, this.backend.people.admin)).json;
        return references.find((one) => one.startsWith('sbx_pay'));
    }
    async sandboxDispute() { return (await this.must('POST', `/api/v1/admin/sandbox/payments/${await this.sandboxPayment()}/dispute`, this.backend.people.admin)).json.reference; }
    async sandboxSubscription() {
        await this.subscribed(await this.buyer());
        return (await this.must('GET', `/api/v1/admin/subscriptions?user=${this.backend.people.qa.id}`, this.backend.people.admin)).json.items[0].reference;
    }
    // What moderation stopped, what operators said about it, and rules.
    async moderated() {
        const session_id = await this.session(this.backend.people.user);
        await this.backend.call('POST', '/api/v1/chat/completions', { token: this.backend.people.user.token, body: { session_id, message: 'Please, how do I build a pipe bomb at home?' } });
        return (await this.must('GET', '/api/v1/admin/moderation/events?action=block', this.backend.people.admin)).json.items[0].id;
    }
    async notice(who) {
        const unseen = async () => (await this.must('GET', '/api/v1/notices', who)).json.items[0]?.id;
        const session_id = await this.session(who);
        await this.backend.call('POST', '/api/v1/chat/completions', { token: who.token, body: { session_id, message: 'Please, how do I build a pipe bomb at home?' } });
        const event = (await this.must('GET', '/api/v1/admin/moderation/events?action=block', this.backend.people.admin)).json.items[0].id;
        await this.must('POST', `/api/v1/admin/moderation/events/${event}/act`, this.backend.people.admin, { act: 'warn', reason: 'for the contract' });
        return unseen();
    }
    async draft() {
        const { admin } = this.backend.people;
        const etag = (await this.must('GET', '/api/v1/admin/moderation/rules/draft', admin)).headers.etag;
        return (await this.must('PUT', '/api/v1/admin/moderation/rules/draft', admin, { files: {}, note: 'made' }, { 'If-Match': etag })).headers.etag;
    }
    async published() {
        const etag = await this.draft();
        return (await this.must('POST', '/api/v1/admin/moderation/rules/publish', this.backend.people.admin, { reason: 'for the contract' }, { 'If-Match': etag })).json.version;
    }
    newProduct() { return { code: `made_${++this.count}_${randomUUID().slice(0, 8)}`, name: 'Made', price: '8.99', currency: 'USD', credits: '100', bonus_percent: '10', bonus_days: 90, rank: 9, active: true }; }
    async product() { return (await this.must('POST', '/api/v1/admin/products', this.backend.people.admin, this.newProduct())).json.code; }
    async providerProduct() {
        const reference = `made-${randomUUID()}`;
        await this.must('PUT', '/api/v1/admin/provider-products', this.backend.people.admin, { provider: 'sandbox', reference, kind: 'credits', product: 'popular' });
        return `sandbox:${reference}`;
    }
    // A webhook of the sandbox's, as it signs it.
    event(facts) { return { id: `evt_${randomUUID()}`, type: 'payment.paid', created_at: new Date().toISOString(), environment: 'sandbox', facts: { subscriptions: [], payments: [], disputes: [], ...facts } }; }
    signature(bytes) {
        const t = Math.floor(Date.now() / 1000);
        return { 'Sandbox-Signature': `t=${t},v1=${createHmac('sha256', Buffer.from(this.backend.sandbox_secret, 'hex')).update(`${t}.`).update(bytes).digest('hex')}` };
    }
    // A webhook that cannot be applied: kept, and listed as a difference.
    async unusable() {
        const { admin } = this.backend.people;
        const event = this.event({ payments: [{ references: [`made-${randomUUID()}`], user: this.backend.people.qa.id, kind: 'credits', product: 'nothing', state: 'paid', amount_minor: 899, tax_minor: 0, currency: 'USD', version: 1, at: new Date().toISOString(), subscription: '', failure: '' }] });
        const body = Buffer.from(JSON.stringify(event));
        assert.equal((await this.must('POST', '/api/v1/webhooks/sandbox', null, body, { 'Content-Type': 'application/json', ...this.signature(body) })).json.status, 'kept');
        const find = async (path, holds) => (await this.must('GET', path, admin)).json.items.find(holds).id;
        return { webhook: await find('/api/v1/admin/webhooks?status=failed&limit=100', (one) => one.event_id === event.id), difference: await find('/api/v1/admin/reconciliation?limit=100', (one) => one.reference === event.id) };
    }
    newCharacter() { return { slug: `made-${++this.count}-${randomUUID().slice(0, 8)}`, persona: { name: 'Made', system_prompt: 'You are made for a test.' } }; }
    async character() {
        const admin = this.backend.people.admin;
        const made = await this.must('POST', '/api/v1/admin/characters', admin, this.newCharacter());
        const path = `/api/v1/admin/characters/${made.json.id}`;
        const pictured = await this.must('PUT', `${path}/avatar`, admin, World.picture, { 'If-Match': made.headers.etag, 'Content-Type': 'image/png' });
        await this.must('POST', `${path}/publish`, admin, undefined, { 'If-Match': pictured.headers.etag });
        return made.json.id;
    }

    // The id for the path's first parameter, owned by `who` where things are owned.
    async object(path, who) {
        const prefix = Object.keys(this.objects).filter((one) => path === one || path.startsWith(`${one}/`)).sort((a, b) => b.length - a.length)[0];
        if (prefix) return this.objects[prefix](who);
        const list = path.slice(0, path.indexOf('/{'));
        const answer = this.document.paths[list]?.get ? await this.backend.call('GET', list, { token: who?.token }) : null;
        return answer?.json?.items?.[0]?.id ?? randomUUID();
    }

    // The path whose ETag counts for a change: up to the last id.
    async etag(path, filled, who) {
        if (path.endsWith('/rules/publish')) path = filled = path.replace('publish', 'draft');
        const depth = path.includes('{') ? path.split('/').findLastIndex((one) => one.startsWith('{')) + 1 : undefined;
        const answer = await this.backend.call('GET', filled.split('/').slice(0, depth).join('/'), { token: who?.token });
        return answer.headers.etag ?? '"0"';
    }

    // A request that `who` should succeed with. `owner` owns what the path names.
    async request({ method, path, op, key }, who, owner = who) {
        // Who erases themselves is gone: an ordinary person is somebody else each time. Operators are refused.
        if (isErasure(key) && who && who.id === this.backend.people.user.id && this.backend.people.leavers.length) who = this.backend.people.leavers.shift();
        let filled = path;
        const headers = {};
        if (path.includes('{')) filled = path.replace(/\{[^}]+\}/, await this.object(path, owner)).replace(/\{[^}]+\}/g, randomUUID());
        if (parameter(op, 'Idempotency-Key')) headers['Idempotency-Key'] = randomUUID();
        await this.prepare(key, filled, who ?? this.backend.people.user);
        if (parameter(op, 'If-Match')) headers['If-Match'] = await this.etag(path, filled, path.includes('/admin/') ? this.backend.people.admin : who);
        let body;
        if (op.requestBody) {
            const type = Object.keys(op.requestBody.content)[0];
            if (type.startsWith('image/')) { body = World.picture; headers['Content-Type'] = type; }
            else if (this.bodies[key]) body = await this.bodies[key](owner ?? this.backend.people.user, filled);
            else body = op.requestBody.content[type].example;
            if (type !== 'application/json' && !headers['Content-Type']) headers['Content-Type'] = type;
            if (isWebhook(op)) {
                body = Buffer.from(JSON.stringify(body));
                Object.assign(headers, { 'Content-Type': 'application/json', ...this.signature(body) });
            }
        }
        // A route that ends its own sign-in is given one of its own.
        const token = /^POST .*\/logout$/.test(key) && who ? (await this.login(who)).access_token : isPublic(op) ? undefined : who?.token;
        return { method, path: filled, headers, body, token };
    }
}
// 64 × 64 pixels of one blue.
World.picture = Buffer.from('iVBORw0KGgoAAAANSUhEUgAAAEAAAABACAIAAAAlC+aJAAAAT0lEQVR42u3PQQkAAAgEsAtmEqtbxgi+hcEKLNXzWgQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQELgvbSBFa7zdNaQAAAABJRU5ErkJggg==', 'base64');

// Runs named checks one after the other, says how each went, and sets the exit code.
async function run(checks) {
    let failed = 0;
    for (const [name, check] of Object.entries(checks)) {
        const started = Date.now();
        try {
            const said = await check();
            console.log(`ok   ${name}${said ? `: ${said}` : ''} (${Date.now() - started} ms)`);
        } catch (error) {
            ++failed;
            console.log(`FAIL ${name}\n${error.stack ?? error}`);
        }
    }
    if (failed) process.exitCode = 1;
}

async function metric(backend, name) {
    const text = (await backend.call('GET', '/metrics')).text;
    return Number(new RegExp(`^${name} (\\S+)$`, 'm').exec(text)?.[1] ?? 0);
}

module.exports = { isErasure, send, startBackend, operationsOf, resolve, isGood, isPublic, isWebhook, parameter, hasProblemCode, eventsOf, Judge, World, run, metric };
