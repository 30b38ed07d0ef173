// Holds our check of Stripe-Signature against the vendor's SDK, both ways: what it signs we believe and what we sign it
// believes; and of every header that an attacker might write, what it refuses we refuse. Where we alone refuse it is
// said so (`stricter`). usage: run-node DIR stripe_signatures.cjs STRIPE-VERIFY
'use strict';
const { spawn } = require('node:child_process');
const crypto = require('node:crypto');
const readline = require('node:readline');
const Stripe = require('stripe');

const stripe = new Stripe('sk_test_x');
const now = 1800000000;
const secret = 'whsec_5Yd8Qm0GnOqmtLqvgWpsSx1HkC';
const other = 'whsec_another';

function sdkAccepts({ header, body, secrets }) {
    // The SDK knows one secret at a time; an endpoint that rolls its secret asks it for each.
    return secrets.some((one) => {
        try {
            // The newest argument is the time of receipt, in ms.
            stripe.webhooks.signature.verifyHeader(body, header, one, 300, undefined, now * 1000);
            return true;
        } catch (error) {
            return false;
        }
    });
}

function sign(body, { by = secret, at = now, scheme = 'v1' } = {}) {
    return stripe.webhooks.generateTestHeaderString({ payload: body, secret: by, timestamp: at, scheme });
}

function mac(body, at, by = secret) {
    return crypto.createHmac('sha256', by).update(`${at}.${body}`).digest('hex');
}

function cases() {
    const body = JSON.stringify({ id: 'evt_1', object: 'event', text: 'Grüße 😀 \u2028 \\" ' });
    const right = mac(body, now);
    const all = [];
    const add = (name, header, more = {}) => all.push({ name, header, body, secrets: [secret], ...more });
    add('the SDK\'s own', sign(body));
    add('a pretty body', sign('{\n  "id": "evt_1"\n}'), { body: '{\n  "id": "evt_1"\n}' });
    add('a large body', sign('x'.repeat(200000)), { body: 'x'.repeat(200000) });
    for (const age of [0, 1, 299, 300, 301, 86400, now - 1])
        add(`${age} s old`, sign(body, { at: now - age }));
    for (const ahead of [1, 299, 300, 301, 86400, 1e9])
        add(`${ahead} s ahead`, sign(body, { at: now + ahead }), { stricter: ahead > 300 });
    add('by another secret', sign(body, { by: other }));
    add('by the older of two', sign(body, { by: other }), { secrets: [secret, other] });
    add('by neither', sign(body, { by: 'whsec_third' }), { secrets: [secret, other] });
    add('two, the second right', `t=${now},v1=${'0'.repeat(64)},v1=${right}`);
    add('two, the first right', `t=${now},v1=${right},v1=${'0'.repeat(64)}`);
    add('with v0', `${sign(body)},v0=${'6'.repeat(64)}`);
    add('only v0', `t=${now},v0=${right}`);
    add('v1 of another scheme', sign(body, { scheme: 'v0' }));
    add('order turned', `v1=${right},t=${now}`);
    add('another body', sign(body), { body: body + ' ' });
    add('time changed', `t=${now + 1},v1=${right}`);
    for (const header of ['', ',', '=', 't', 't=', 'v1=', `t=${now}`, `v1=${right}`, `t=${now},v1=`, `t=,v1=${right}`,
        `t=x,v1=${right}`, `t=-1,v1=${right}`, `t=NaN,v1=${right}`, `t=Infinity,v1=${right}`, `T=${now},V1=${right}`,
        `t=${now};v1=${right}`, `t=${now},v1=${right.slice(0, 63)}`, `t=${now},v1=${right}0`, `t=${now},v1=${right.toUpperCase()}`,
        `t=${now},v1="${right}"`, `t:${now},v1:${right}`, `{"t":${now},"v1":"${right}"}`, `t=${now},v2=${right}`,
        `t=${now},v1=${Buffer.from(right, 'hex').toString('base64')}`, `t=${now},v11=${right}`])
        add(`junk ${JSON.stringify(header).slice(0, 60)}`, header);
    for (const header of [`t=${now}.0,v1=${right}`, `t=${now}abc,v1=${right}`, `t=+${now},v1=${right}`, `t=0${now},v1=${right}`,
        `t=1,t=${now},v1=${right}`, `t=${now},t=${now},v1=${right}`, `t=${now},v1=${right},t=${now}`])
        add(`ambiguous ${header.slice(0, 40)}`, header, { stricter: true });
    add('forty signatures', `t=${now}${`,v1=${'0'.repeat(64)}`.repeat(40)},v1=${right}`, { stricter: true });
    for (let i = 0; i < 64; ++i) {
        const flipped = right.slice(0, i) + (right[i] === '0' ? '1' : '0') + right.slice(i + 1);
        add(`digit ${i} changed`, `t=${now},v1=${flipped}`);
    }
    for (let i = 0; i < 200; ++i) {
        const random = crypto.randomBytes(1 + i).toString(i % 2 ? 'latin1' : 'base64');
        add(`noise ${i}`, `t=${now},v1=${right}`.slice(0, i % 80) + random.replace(/[\r\n]/g, ' '));
    }
    return all;
}

async function main() {
    const child = spawn(process.argv[2], { stdio: ['pipe', 'pipe', 'inherit'] });
    const lines = readline.createInterface({ input: child.stdout })[Symbol.asyncIterator]();
    const ask = async (question) => {
        child.stdin.write(JSON.stringify({ ...question, body: Buffer.from(question.body).toString('base64') }) + '\n');
        return (await lines.next()).value;
    };
    const wrong = [];
    let alike = 0, stricter = 0;
    for (const one of cases()) {
        const ours = await ask({ header: one.header, body: one.body, secrets: one.secrets, now });
        const theirs = sdkAccepts(one);
        if (theirs === (ours === 'good'))
            ++alike;
        else if (theirs && one.stricter)
            ++stricter;
        else
            wrong.push(`${one.name}: the SDK ${theirs ? 'accepts' : 'refuses'}, we say ${ours}`);
    }
    for (let i = 1; i <= 50; ++i) { // what we sign, it believes (an empty body it calls none; to us that is unreadable JSON)
        const body = crypto.randomBytes(i * 7).toString('utf8');
        const header = await ask({ secret, body, time: now - i });
        if (!sdkAccepts({ header, body, secrets: [secret] }) || header !== sign(body, { at: now - i }))
            wrong.push(`our signature ${i}: ${header}`);
    }
    const at = Math.floor(Date.now() / 1000);
    const event = JSON.stringify({ id: 'evt_9', object: 'event', livemode: false });
    const header = await ask({ secret, body: event, time: at });
    if (stripe.webhooks.constructEvent(event, header, secret).id !== 'evt_9')
        wrong.push('constructEvent');
    child.stdin.end();
    console.log(`${alike} headers judged alike, ${stricter} refused by us alone, 51 of our signatures believed`);
    for (const line of wrong)
        console.log(line);
    process.exit(wrong.length || alike < 300 ? 1 : 0);
}

main().catch((error) => {
    console.error(error);
    process.exit(1);
});
