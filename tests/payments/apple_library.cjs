// Every case of appleCases() is given to the vendor's own SignedDataVerifier with the same root, app and environment.
// What it accepts and we refuse must be marked as stricter on purpose; what it refuses, we must refuse.
'use strict';
const { execFileSync } = require('node:child_process');
const { SignedDataVerifier, Environment } = require('@apple/app-store-server-library');

async function main() {
    const lines = execFileSync(process.argv[2], { maxBuffer: 1 << 26 }).toString().trim().split('\n').map(JSON.parse);
    const head = lines.shift();
    const verifier = new SignedDataVerifier([Buffer.from(head.root, 'base64')], false, Environment.PRODUCTION,
                                            head.bundle_id, head.app_id);
    const read = {
        notification: (jws) => verifier.verifyAndDecodeNotification(jws),
        transaction: (jws) => verifier.verifyAndDecodeTransaction(jws),
        renewal: (jws) => verifier.verifyAndDecodeRenewalInfo(jws),
    };
    const wrong = [];
    let same = 0, stricter = 0;
    for (const one of lines) {
        let theirs = true, why = '';
        try {
            await read[one.kind](one.jws);
        } catch (error) {
            theirs = false;
            why = `status ${error.status}`;
        }
        if (one.ours !== one.accepted)
            wrong.push(`${one.name}: we ${one.ours ? 'accept' : 'refuse'} it`);
        if (theirs === one.ours)
            ++same;
        else if (theirs && one.stricter)
            ++stricter;
        else
            wrong.push(`${one.name}: the library ${theirs ? 'accepts' : `refuses (${why})`}, we ${one.ours ? 'accept' : 'refuse'}`);
    }
    console.log(`${lines.length} objects: ${same} judged alike, ${stricter} refused by us alone, as documented`);
    for (const line of wrong)
        console.log(line);
    process.exit(wrong.length || same < 40 ? 1 : 0);
}

main().catch((error) => {
    console.error(error);
    process.exit(1);
});
