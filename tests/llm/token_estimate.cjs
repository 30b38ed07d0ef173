// Measures our token estimate against o200k, the public vocabulary nearest to what providers count with, and fails where
// it counts fewer tokens for more than one text in twenty. docs/models.md holds the figures.
// usage: run-node DIR token_estimate.cjs ESTIMATE-TOKENS SOURCE-TREE
'use strict';
const { execFileSync } = require('node:child_process');
const { readFileSync, readdirSync } = require('node:fs');
const { join } = require('node:path');
const { encode } = require('gpt-tokenizer/encoding/o200k_base');

const [program, tree] = process.argv.slice(2);
const plain = { allowedSpecial: new Set(), disallowedSpecial: new Set() }; // "<|endoftext|>" is just text

// Our own sources in pieces of a message's size.
function code() {
    const files = ['backend/llm', 'backend/llm/wire', 'common', 'tests/fakes', 'resources/migrations'].flatMap((folder) => {
        try {
            return readdirSync(join(tree, folder)).map((name) => join(tree, folder, name));
        } catch {
            return [];
        }
    });
    return files.filter((name) => /\.(cpp|h|sql|cjs)$/.test(name)).flatMap((name) => readFileSync(name, 'utf8').match(/[^]{1,800}/g) ?? []);
}

const quantile = (sorted, share) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))];

function measure(texts) {
    const ours = JSON.parse(execFileSync(program, { input: JSON.stringify(texts), maxBuffer: 1 << 28 }));
    const theirs = texts.map((text) => encode(text, plain).length);
    const sum = (numbers) => numbers.reduce((a, b) => a + b, 0);
    const ratios = ours.map((count, i) => count / theirs[i]).sort((a, b) => a - b);
    return { total: sum(ours) / sum(theirs), ratios, covered: ratios.filter((ratio) => ratio >= 1).length };
}

// Each sample with its count, which tst_TokenEstimate.cpp relies on where there is no node.
const samples = JSON.parse(readFileSync(join(__dirname, 'token_samples.json'), 'utf8'));
for (const [count, text] of Object.values(samples).flat()) {
    if (encode(text, plain).length !== count) {
        console.error(`token_samples.json says ${count} where o200k counts ${encode(text, plain).length}: ${text}`);
        process.exitCode = 1;
    }
}
const kinds = [...Object.entries(samples).map(([kind, list]) => [kind, list.map(([, text]) => text)]), ['Code', code()]];
let texts = 0;
let covered = 0;
console.log('kind                texts  ours/o200k  lowest  median  highest  never under');
for (const [kind, list] of kinds) {
    const found = measure(list);
    const f = (number) => number.toFixed(2);
    console.log(`${kind.padEnd(19)} ${String(list.length).padStart(5)}  ${f(found.total).padStart(10)}  ${f(found.ratios[0]).padStart(6)}  `
        + `${f(quantile(found.ratios, 0.5)).padStart(6)}  ${f(found.ratios.at(-1)).padStart(7)}  ${(100 * found.covered / list.length).toFixed(1).padStart(10)}%`);
    const weight = kind === 'Code' ? 0 : 1; // so many pieces of code would hide the rest
    texts += weight * list.length;
    covered += weight * found.covered;
    if (found.covered < 0.9 * list.length) {
        console.error(`the estimate undercounts too many texts of the kind ${kind}`);
        process.exitCode = 1;
    }
}
console.log(`never under, code left out: ${(100 * covered / texts).toFixed(1)} % of ${texts} texts`);
if (covered < 0.95 * texts) {
    console.error('the estimate undercounts more than one text in twenty');
    process.exitCode = 1;
}
