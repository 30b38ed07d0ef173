// Every case of firebaseCases() is given to the vendor's own Admin SDK, whose fetching of certificates is pointed at the
// local issuer. What the SDK accepts and we refuse must be marked as stricter on purpose; what it refuses, we must refuse.
'use strict';
const { spawn } = require('node:child_process');
const readline = require('node:readline');
const path = require('node:path');
const admin = require('firebase-admin');
const lib = path.dirname(require.resolve('firebase-admin'));
const { FirebaseTokenVerifier, ID_TOKEN_INFO } = require(path.join(lib, 'auth', 'token-verifier.js'));

async function main() {
    const cases = spawn(process.argv[2], { stdio: ['pipe', 'pipe', 'inherit'] });
    const lines = readline.createInterface({ input: cases.stdout })[Symbol.asyncIterator]();
    const next = async () => JSON.parse((await lines.next()).value);
    const head = await next();
    const app = admin.initializeApp({ projectId: head.project });
    const sdk = new FirebaseTokenVerifier(head.url, 'https://securetoken.google.com/', ID_TOKEN_INFO, app);
    const wrong = [];
    let same = 0, stricter = 0;
    for (let i = 0; i < head.cases; ++i) {
        const one = await next();
        let theirs = true, why = '';
        try {
            await sdk.verifyJWT(one.token);
        } catch (error) {
            theirs = false;
            why = error.message;
        }
        if (theirs === one.ours)
            ++same;
        else if (theirs && one.stricter)
            ++stricter;
        else
            wrong.push(`${one.name}: the SDK ${theirs ? 'accepts' : `refuses (${why})`}, we ${one.ours ? 'accept' : 'refuse'}`);
    }
    cases.stdin.end();
    console.log(`${head.cases} tokens: ${same} judged alike, ${stricter} refused by us alone, as documented`);
    for (const line of wrong)
        console.log(line);
    process.exit(wrong.length || same < 100 ? 1 : 0);
}

main().catch((error) => {
    console.error(error);
    process.exit(1);
});
