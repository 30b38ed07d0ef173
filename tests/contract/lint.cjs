// The document against the two linters, each with its recommended rules, none switched off; a warning fails too.
// usage: run-node DIR lint.cjs CONTRACT-BACKEND
'use strict';
const assert = require('node:assert/strict');
const { execFile } = require('node:child_process');
const { mkdtempSync, rmSync, writeFileSync } = require('node:fs');
const { tmpdir } = require('node:os');
const { dirname, join } = require('node:path');
const { run, startBackend } = require('./contract.cjs');

const bin = (name) => join(dirname(require.resolve('ajv/package.json')), '..', '.bin', name);
const call = (program, args) => new Promise((done) => execFile(process.execPath, [program, ...args], { maxBuffer: 1 << 26, env: { ...process.env, REDOCLY_TELEMETRY: 'off' } }, (error, stdout, stderr) => done({ code: error ? error.code ?? 1 : 0, stdout, stderr })));

async function main() {
    const folder = mkdtempSync(join(tmpdir(), 'companion-lint-'));
    const backend = await startBackend(process.argv[2]);
    const document = (await backend.call('GET', '/api/v1/openapi.json')).json;
    await backend.stop();
    const file = join(folder, 'openapi.json');
    writeFileSync(file, JSON.stringify(document, null, 2));
    writeFileSync(join(folder, 'spectral.json'), JSON.stringify({ extends: [['spectral:oas', 'recommended']] }));
    await run({
        'redocly finds nothing': async () => {
            const said = await call(bin('redocly'), ['lint', file, '--extends=recommended', '--format=json', '--max-problems=1000']);
            const found = JSON.parse(said.stdout.slice(said.stdout.indexOf('{')));
            assert.deepEqual(found.totals, { errors: 0, warnings: 0, ignored: 0 }, JSON.stringify(found.problems?.slice(0, 5), null, 1));
        },
        'spectral finds nothing': async () => {
            const said = await call(bin('spectral'), ['lint', file, '--ruleset', join(folder, 'spectral.json'), '--fail-severity=hint', '--format=json']);
            const found = JSON.parse(said.stdout.slice(said.stdout.indexOf('['), said.stdout.lastIndexOf(']') + 1));
            assert.deepEqual(found.slice(0, 5), []);
            assert.equal(said.code, 0, said.stderr);
        },
        'the linters would have found something': async () => { // they ran at all: two of the paths, with two mistakes
            const broken = structuredClone(document);
            for (const path of Object.keys(broken.paths)) if (!['/docs', '/api/v1/auth/me'].includes(path)) delete broken.paths[path];
            delete broken.paths['/api/v1/auth/me'].get.responses;
            broken.paths['/api/v1/auth/me'].get.operationId = broken.paths['/docs'].get.operationId;
            writeFileSync(file, JSON.stringify(broken));
            const first = await call(bin('redocly'), ['lint', file, '--extends=recommended', '--format=json']);
            const second = await call(bin('spectral'), ['lint', file, '--ruleset', join(folder, 'spectral.json')]);
            assert.notEqual(first.code, 0);
            assert.notEqual(second.code, 0);
        },
    });
    rmSync(folder, { recursive: true, force: true });
}

main().catch((error) => { console.error(error); process.exit(1); });
