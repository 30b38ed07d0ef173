// The real Firebase Auth emulator, the vendor's Admin SDK and our backend: signing up, signing in, what joins which
// account, what becomes of disabled and deleted users.
'use strict';
const assert = require('node:assert');
const { spawn, execFileSync } = require('node:child_process');
const fs = require('node:fs');
const net = require('node:net');
const os = require('node:os');
const path = require('node:path');

const backendProgram = process.argv[2];
const project = 'demo-companion';
const children = [];

function freePort() {
    return new Promise((resolve) => {
        const server = net.createServer().listen(0, '127.0.0.1', () => {
            const { port } = server.address();
            server.close(() => resolve(port));
        });
    });
}

async function until(what, tries, check) {
    for (let i = 0; i < tries; ++i) {
        try {
            return await check();
        } catch {
            await new Promise((resolve) => setTimeout(resolve, 250));
        }
    }
    throw new Error(`${what} did not come up`);
}

async function startEmulator(dir) {
    const [auth, hub, logging] = [await freePort(), await freePort(), await freePort()];
    fs.writeFileSync(path.join(dir, 'firebase.json'), JSON.stringify({
        emulators: {
            auth: { host: '127.0.0.1', port: auth }, hub: { host: '127.0.0.1', port: hub },
            logging: { host: '127.0.0.1', port: logging }, ui: { enabled: false }, singleProjectMode: true,
        },
    }));
    const firebase = path.join(path.dirname(require.resolve('firebase-tools/package.json')), 'lib', 'bin', 'firebase.js');
    const child = spawn(process.execPath, [firebase, 'emulators:start', '--only', 'auth', '--project', project],
        { cwd: dir, env: { ...process.env, CI: '1', HOME: dir }, stdio: ['ignore', 'ignore', 'inherit'] });
    children.push([child, 'SIGINT']);
    const host = `127.0.0.1:${auth}`;
    await until('the emulator', 400, () => fetch(`http://${host}/`).then((r) => r.json()));
    return host;
}

async function startBackend(dir, environment) {
    const child = spawn(backendProgram, ['serve', '--ready-json', '--data', dir],
        { env: { ...process.env, COMPANION_LISTEN: '127.0.0.1:0', COMPANION_LOG_LEVEL: 'debug', RATE_LIMIT_SIGN_IN: '10000', ...environment },
            stdio: ['ignore', 'pipe', fs.openSync(path.join(dir, 'log'), 'a')] });
    children.push([child, 'SIGTERM']);
    let said = '';
    for await (const part of child.stdout) {
        said += part;
        if (said.includes('\n'))
            return JSON.parse(said);
    }
    throw new Error('the backend ended: ' + fs.readFileSync(path.join(dir, 'log')));
}

async function post(url, body, headers = {}) {
    const answer = await fetch(url, {
        method: 'POST', headers: { 'Content-Type': 'application/json', ...headers }, body: JSON.stringify(body),
    });
    return { status: answer.status, json: await answer.json().catch(() => ({})) };
}

async function main() {
    const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'companion-firebase-'));
    fs.chmodSync(dir, 0o755);
    const data = path.join(dir, 'data');
    fs.mkdirSync(data);
    const host = await startEmulator(dir);
    process.env.FIREBASE_AUTH_EMULATOR_HOST = host;
    const firebase = { FIREBASE_PROJECT_ID: project, FIREBASE_WEB_API_KEY: 'fake-key', FIREBASE_AUTH_EMULATOR_HOST: host };

    // Never in production: it does not even start.
    const production = spawn(backendProgram, ['serve', '--data', path.join(dir, 'none')],
        { env: { ...process.env, ...firebase, COMPANION_ENV: 'production' }, stdio: ['ignore', 'pipe', 'pipe'] });
    let complaint = '';
    production.stderr.on('data', (part) => (complaint += part));
    assert.notStrictEqual(await new Promise((resolve) => production.on('exit', resolve)), 0);
    assert.match(complaint, /FIREBASE_AUTH_EMULATOR_HOST.*never with COMPANION_ENV=production/);

    const { url } = await startBackend(data, firebase);
    const api = `${url}/api/v1`;
    const admin = require('firebase-admin');
    const auth = admin.initializeApp({ projectId: project }).auth();
    const toolkit = (act, body) =>
        post(`http://${host}/identitytoolkit.googleapis.com/v1/accounts:${act}?key=fake-key`, { returnSecureToken: true, ...body })
            .then((answer) => answer.json);
    const logIn = (token) => post(`${api}/auth/login`, { provider: 'firebase', token });
    const me = (grant) => fetch(`${api}/auth/me`, { headers: { Authorization: `Bearer ${grant.json.access_token}` } });
    const command = (...args) => execFileSync(backendProgram, [...args, '--data', data, '--json'], { env: { ...process.env, FIREBASE_AUTH_EMULATOR_HOST: '' } }).toString();
    const secrets = [];

    const offers = await (await fetch(`${api}/auth/providers`)).json();
    assert.deepStrictEqual(offers.items.map((offer) => offer.provider), ['access_key', 'firebase']);
    assert.strictEqual(offers.items[1].emulator_host, host);
    assert.strictEqual(offers.items[1].api_key, 'fake-key');

    // Signing up by email and password: an unproven address is nobody's.
    const ada = await toolkit('signUp', { email: 'ada@example.org', password: 'correct horse' });
    const first = await logIn(ada.idToken);
    assert.strictEqual(first.status, 200, JSON.stringify(first.json));
    assert.strictEqual(first.json.user.email, '');
    assert.strictEqual((await me(first)).status, 200);
    assert.strictEqual((await auth.verifyIdToken(ada.idToken)).uid, ada.localId);
    secrets.push(ada.idToken, ada.refreshToken, first.json.access_token, first.json.refresh_token, 'correct horse');

    // Proven since: the same account, now with its address.
    await auth.updateUser(ada.localId, { emailVerified: true, displayName: 'Ada L.' });
    const again = await toolkit('signInWithPassword', { email: 'ada@example.org', password: 'correct horse' });
    const second = await logIn(again.idToken);
    assert.strictEqual(second.json.user.id, first.json.user.id);
    assert.strictEqual(second.json.user.email, 'ada@example.org');

    // An operator's account by access key: the unproven address does not get in, the proven one does.
    const made = JSON.parse(command('access-key', 'create', '--user', 'bob@example.org', '--role', 'support'));
    const thief = await toolkit('signUp', { email: 'bob@example.org', password: 'not the owner' });
    const stranger = await logIn(thief.idToken);
    assert.notStrictEqual(stranger.json.user.id, made.user_id);
    assert.deepStrictEqual(stranger.json.user.roles, ['user']);
    await auth.deleteUser(thief.localId);
    const owner = await auth.createUser({ email: 'bob@example.org', emailVerified: true, password: 'the owner' });
    const bob = await logIn((await toolkit('signInWithPassword', { email: 'bob@example.org', password: 'the owner' })).idToken);
    assert.strictEqual(bob.json.user.id, made.user_id);
    assert.deepStrictEqual(bob.json.user.roles, ['user', 'support']);

    // Two first sign-ins at the same moment are one user.
    const carol = await toolkit('signUp', { email: 'carol@example.org', password: 'correct horse' });
    const grants = await Promise.all(Array.from({ length: 8 }, () => logIn(carol.idToken)));
    assert.strictEqual(new Set(grants.map((grant) => grant.json.user.id)).size, 1);

    // Anonymous, and by custom token.
    const nobody = await logIn((await toolkit('signUp', {})).idToken);
    assert.strictEqual(nobody.json.user.email, '');
    const custom = await toolkit('signInWithCustomToken', { token: await auth.createCustomToken('our-own-uid', { plan: 'x' }) });
    assert.strictEqual((await logIn(custom.idToken)).status, 200);
    assert.strictEqual((await logIn(await auth.createCustomToken('our-own-uid'))).status, 401); // no ID token itself
    const cookie = await auth.createSessionCookie(ada.idToken, { expiresIn: 3_600_000 });
    assert.strictEqual((await logIn(cookie)).status, 401);

    // A refreshed ID token is as good.
    const refreshed = await fetch(`http://${host}/securetoken.googleapis.com/v1/token?key=fake-key`, {
        method: 'POST', headers: { 'Content-Type': 'application/x-www-form-urlencoded' },
        body: `grant_type=refresh_token&refresh_token=${encodeURIComponent(ada.refreshToken)}`,
    }).then((answer) => answer.json());
    assert.strictEqual((await logIn(refreshed.id_token)).json.user.id, first.json.user.id);

    // Disabled there: no fresh ID token is to be had, the one at hand lives its hour (the SDK says the same without
    // checkRevoked, and with it asks Google, which we cannot without a service account). Suspended here: at once.
    await auth.updateUser(owner.uid, { disabled: true });
    assert.match(JSON.stringify(await toolkit('signInWithPassword', { email: 'bob@example.org', password: 'the owner' })), /USER_DISABLED/);
    command('user', 'set', 'bob@example.org', '--status', 'suspended');
    assert.strictEqual((await me(bob)).status, 403);

    // Deleted there and signed up anew: the address that another joined before is not joined again.
    await auth.deleteUser(ada.localId);
    await auth.createUser({ email: 'ada@example.org', emailVerified: true, password: 'another person' });
    const newcomer = await logIn((await toolkit('signInWithPassword', { email: 'ada@example.org', password: 'another person' })).idToken);
    assert.strictEqual(newcomer.status, 200);
    assert.notStrictEqual(newcomer.json.user.id, first.json.user.id);

    // Not of this project; not a token.
    const part = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');
    const [, payload] = carol.idToken.split('.');
    const claims = JSON.parse(Buffer.from(payload, 'base64url'));
    for (const [name, token] of Object.entries({
        'another aud': `${part({ alg: 'none', typ: 'JWT' })}.${part({ ...claims, aud: 'demo-other' })}.`,
        'another iss': `${part({ alg: 'none', typ: 'JWT' })}.${part({ ...claims, iss: 'https://securetoken.google.com/demo-other' })}.`,
        'expired': `${part({ alg: 'none', typ: 'JWT' })}.${part({ ...claims, exp: claims.iat + 1, iat: claims.iat - 7200 })}x.`,
        'with a signature': carol.idToken + 'AAAA',
        'nonsense': 'nonsense',
    }))
        assert.strictEqual((await logIn(token)).status, 401, name);

    const log = fs.readFileSync(path.join(data, 'log'), 'utf8');
    assert.ok(log.length > 1000);
    for (const secret of secrets)
        assert.ok(!log.includes(secret), 'a secret is in the log');
    const verdict = command('audit');
    assert.match(verdict, /\{/);
    console.log('the emulator, the Admin SDK and the backend agree');
}

async function stop() {
    for (const [child, signal] of children.reverse()) {
        if (child.exitCode !== null)
            continue;
        const ended = new Promise((resolve) => child.on('exit', resolve));
        child.kill(signal);
        await Promise.race([ended, new Promise((resolve) => setTimeout(resolve, 15_000))]);
        if (child.exitCode === null)
            child.kill('SIGKILL');
    }
}

main().then(() => 0, (error) => (console.error(error), 1)).then(async (code) => {
    await stop();
    process.exit(code);
});
