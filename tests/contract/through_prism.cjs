// A C++ integration test with its requests and answers passing through prism: see TestBackend.
// usage: run-node DIR through_prism.cjs TEST-PROGRAM
'use strict';
const { dirname, join } = require('node:path');
const { spawnSync } = require('node:child_process');

const prism = join(dirname(require.resolve('ajv/package.json')), '..', '.bin', 'prism');
const { status } = spawnSync(process.argv[2], [], { stdio: 'inherit', env: { ...process.env, COMPANION_TEST_PRISM: prism, QT_QPA_PLATFORM: 'offscreen' } });
process.exit(status ?? 1);
