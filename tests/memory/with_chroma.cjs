// Runs a test program with CHROMA_CLI naming the installed ChromaDB server's program.
'use strict';
const { spawnSync } = require('node:child_process');
const path = require('node:path');

if (process.platform !== 'linux' || process.arch !== 'x64') {
    console.log('SKIPPED: the ChromaDB server of npm is for x86-64 Linux');
    process.exit(77);
}
const main = require.resolve('chromadb'); // dist/chromadb.js or the like
const cli = path.join(main.slice(0, main.lastIndexOf(`${path.sep}chromadb${path.sep}`)), 'chromadb', 'dist', 'cli.mjs');
const [program, ...rest] = process.argv.slice(2);
const run = spawnSync(program, rest, { stdio: 'inherit', env: { ...process.env, CHROMA_CLI: cli } });
process.exit(run.status ?? 1);
