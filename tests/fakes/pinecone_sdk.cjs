// Holds the fake Pinecone against the vendor's own SDK: what the SDK does must come out as its documentation says.
'use strict';
const assert = require('node:assert/strict');
const { spawn } = require('node:child_process');
const { createInterface } = require('node:readline');
const { Pinecone } = require('@pinecone-database/pinecone');

async function main() {
    const child = spawn(process.argv[2], ['4'], { stdio: ['pipe', 'pipe', 'inherit'] });
    const url = await new Promise((done) => createInterface({ input: child.stdout }).once('line', done));
    const index = new Pinecone({ apiKey: 'pinecone-key' }).index('memories', url);
    const ada = index.namespace('user_ada');
    const bob = index.namespace('user_bob');
    await ada.upsert([
        { id: 'm:1', values: [1, 0, 0, 0], metadata: { embedder: 'm' } },
        { id: 'm:2', values: [0, 1, 0, 0], metadata: { embedder: 'm' } },
        { id: 'n:1', values: [1, 0, 0, 0], metadata: { embedder: 'n' } },
    ]);
    await bob.upsert([{ id: 'm:9', values: [1, 0, 0, 0], metadata: { embedder: 'm' } }]);

    const found = await ada.query({ vector: [1, 0.1, 0, 0], topK: 5, filter: { embedder: { $eq: 'm' } } });
    assert.deepEqual(found.matches.map((one) => one.id), ['m:1', 'm:2']);
    assert.ok(found.matches[0].score > 0.99 && found.matches[1].score < 0.2);
    assert.equal(found.namespace, 'user_ada');

    const listed = await ada.listPaginated({ prefix: 'm:', limit: 1 });
    assert.deepEqual(listed.vectors.map((one) => one.id), ['m:1']);
    const rest = await ada.listPaginated({ prefix: 'm:', limit: 1, paginationToken: listed.pagination.next });
    assert.deepEqual(rest.vectors.map((one) => one.id), ['m:2']);

    const fetched = await ada.fetch(['m:2']);
    assert.deepEqual(fetched.records['m:2'].values, [0, 1, 0, 0]);

    const stats = await index.describeIndexStats();
    assert.equal(stats.dimension, 4);
    assert.equal(stats.namespaces.user_ada.recordCount, 3);
    assert.equal(stats.totalRecordCount, 4);

    await ada.deleteMany(['m:1', 'not there']);
    assert.deepEqual((await ada.listPaginated({ prefix: 'm:' })).vectors.map((one) => one.id), ['m:2']);
    await ada.deleteAll();
    assert.deepEqual((await ada.query({ vector: [1, 0, 0, 0], topK: 5 })).matches, []);
    assert.deepEqual((await bob.query({ vector: [1, 0, 0, 0], topK: 5 })).matches.map((one) => one.id), ['m:9']);

    await assert.rejects(ada.upsert([{ id: 'x', values: [1, 0] }]), /dimension/);
    await assert.rejects(ada.upsert([{ id: 'x', values: [0, 0, 0, 0] }]), /non-zero/);
    await assert.rejects(new Pinecone({ apiKey: 'wrong' }).index('memories', url).query({ vector: [1, 0, 0, 0], topK: 1 }));
    child.stdin.end();
    console.log('the fake Pinecone is one for the SDK');
}

main().then(() => process.exit(0), (error) => { console.error(error); process.exit(1); });
