// Holds the fake Stripe against the vendor's own SDK: what the SDK says and understands is Stripe's wire, and every
// object that it answers or announces must be one by the SDK's own types (API 2026-10-28).
// usage: run-node DIR stripe_sdk.cjs FAKE-STRIPE
'use strict';
const assert = require('node:assert/strict');
const { spawn, spawnSync } = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const readline = require('node:readline');
const Stripe = require('stripe');

const seen = new Map(); // one object of each shape that came by, to be held against the types

function note(object) {
    if (Array.isArray(object))
        return object.forEach(note);
    if (object === null || typeof object !== 'object')
        return;
    if (typeof object.object === 'string' && object.object !== 'list')
        seen.set(`${object.object} ${Object.keys(object).sort()} ${object.status ?? ''}`, object);
    Object.values(object).forEach(note);
}

function tests(stripe, world, base, key) {
    let customer, price, subscription;
    const shop = { success_url: 'https://example.com/ok', mode: 'payment' };
    const item = (unit_amount) => [{ quantity: 1, price_data: { currency: 'usd', unit_amount, product_data: { name: 'Mug & Co' } } }];
    const buy = async (unit_amount, more = {}) => {
        const session = await stripe.checkout.sessions.create({ ...shop, customer: customer.id, line_items: item(unit_amount), ...more });
        await world('pay', { id: session.id });
        return stripe.checkout.sessions.retrieve(session.id, { expand: ['payment_intent.latest_charge.balance_transaction'] });
    };
    return {
        'customers': async () => {
            customer = await stripe.customers.create({ email: 'ada+öä@example.org', metadata: { a: '1 & 2', b: 'ü%=' } });
            assert.equal(customer.email, 'ada+öä@example.org');
            assert.deepEqual(customer.metadata, { a: '1 & 2', b: 'ü%=' });
            assert.equal((await stripe.customers.retrieve(customer.id)).id, customer.id);
        },
        'a session is paid, expanded, refunded in part': async () => {
            const session = await buy(899, { payment_intent_data: { metadata: { order: '7' } }, metadata: { order: '7' } });
            assert.equal(session.payment_status, 'paid');
            assert.equal(session.amount_total, 899);
            const charge = session.payment_intent.latest_charge;
            assert.equal(charge.metadata.order, '7');
            assert.ok(charge.balance_transaction.fee > 0);
            const refund = await stripe.refunds.create({ payment_intent: session.payment_intent.id, amount: 300, reason: 'requested_by_customer' });
            assert.equal(refund.status, 'succeeded');
            assert.equal((await stripe.charges.retrieve(charge.id)).amount_refunded, 300);
            await assert.rejects(stripe.refunds.create({ charge: charge.id, amount: 600 }), Stripe.errors.StripeInvalidRequestError);
            await stripe.refunds.create({ charge: charge.id });
            await assert.rejects(stripe.refunds.create({ charge: charge.id }), { code: 'charge_already_refunded' });
        },
        'prices by lookup key': async () => {
            const product = await stripe.products.create({ id: 'companion_tier_premium', name: 'Premium' });
            price = await stripe.prices.create({ product: product.id, currency: 'usd', unit_amount: 999, recurring: { interval: 'month' },
                lookup_key: 'premium_999', metadata: { tier: 'premium' } });
            const found = await stripe.prices.list({ lookup_keys: ['premium_999', 'x'], active: true, limit: 1 });
            assert.equal(found.data[0].id, price.id);
            await assert.rejects(stripe.products.create({ id: product.id, name: 'Again' }), { code: 'resource_already_exists' });
        },
        'a subscription with its invoice and its payment': async () => {
            const session = await stripe.checkout.sessions.create({ mode: 'subscription', success_url: 'https://x.example', customer: customer.id,
                line_items: [{ price: price.id, quantity: 1 }], subscription_data: { metadata: { user: 'u' } } });
            await world('pay', { id: session.id });
            const done = await stripe.checkout.sessions.retrieve(session.id);
            subscription = await stripe.subscriptions.retrieve(done.subscription, { expand: ['latest_invoice.payments'] });
            assert.equal(subscription.status, 'active');
            assert.ok(subscription.items.data[0].current_period_end > Date.now() / 1000);
            assert.equal(subscription.current_period_end, undefined);
            const invoice = subscription.latest_invoice;
            assert.equal(invoice.parent.subscription_details.subscription, subscription.id);
            assert.deepEqual(invoice.parent.subscription_details.metadata, { user: 'u' });
            assert.equal(invoice.payments.data[0].payment.type, 'payment_intent');
            const paid = await stripe.invoicePayments.list({ payment: { type: 'payment_intent',
                payment_intent: invoice.payments.data[0].payment.payment_intent }, expand: ['data.invoice'] });
            assert.equal(paid.data[0].invoice.id, invoice.id);
            await world('renew', { id: subscription.id });
            await world('collect', { id: subscription.id, works: 'no' });
            assert.equal((await stripe.subscriptions.retrieve(subscription.id)).status, 'past_due');
            await world('collect', { id: subscription.id, works: 'yes' });
        },
        'changes of a subscription': async () => {
            let changed = await stripe.subscriptions.update(subscription.id, { cancel_at_period_end: true, metadata: { user: 'u', x: 'y' } });
            assert.equal(changed.cancel_at_period_end, true);
            changed = await stripe.subscriptions.update(subscription.id, { cancel_at_period_end: false, metadata: { x: '' } });
            assert.deepEqual(changed.metadata, { user: 'u' });
            const vip = await stripe.prices.create({ product_data: { name: 'Vip' }, currency: 'usd', unit_amount: 2999, recurring: { interval: 'month' } });
            const change = { items: [{ id: changed.items.data[0].id, price: vip.id }], proration_behavior: 'always_invoice', payment_behavior: 'error_if_incomplete' };
            await world('cards', { works: 'no' });
            await assert.rejects(stripe.subscriptions.update(subscription.id, change), (error) => {
                assert.ok(error instanceof Stripe.errors.StripeCardError);
                assert.equal(error.decline_code, 'generic_decline');
                return true;
            });
            await world('cards', { works: 'yes' });
            changed = await stripe.subscriptions.update(subscription.id, { ...change, expand: ['latest_invoice'] });
            assert.equal(changed.items.data[0].price.id, vip.id);
            assert.equal(changed.latest_invoice.billing_reason, 'subscription_update');
            assert.equal(changed.latest_invoice.lines.data.length, 2);
            assert.equal((await stripe.subscriptions.cancel(subscription.id)).status, 'canceled');
            await assert.rejects(stripe.subscriptions.update(subscription.id, { cancel_at_period_end: true }), { code: 'resource_missing' });
        },
        'the portal': async () => {
            const portal = await stripe.billingPortal.sessions.create({ customer: customer.id, return_url: 'https://x.example' });
            assert.ok(portal.url.startsWith('https://billing.stripe.com/'));
            note({ ...portal });
        },
        'disputes': async () => {
            const session = await buy(1234);
            note({ ...session });
            const { id } = await world('dispute', { id: session.payment_intent.latest_charge.id });
            assert.equal((await stripe.disputes.retrieve(id, { expand: ['charge'] })).charge.disputed, true);
            await world('close_dispute', { id, status: 'won' });
            assert.equal((await stripe.disputes.list({ limit: 1 })).data[0].status, 'won');
        },
        'a session expires': async () => {
            const session = await stripe.checkout.sessions.create({ ...shop, line_items: item(1) });
            assert.equal((await stripe.checkout.sessions.expire(session.id)).status, 'expired');
            await assert.rejects(stripe.checkout.sessions.expire(session.id), Stripe.errors.StripeInvalidRequestError);
        },
        'lists go on page by page, the newest first': async () => {
            for (let i = 0; i < 12; ++i)
                await stripe.customers.create({ name: `n${i}` });
            const ids = [];
            for await (const one of stripe.customers.list({ limit: 5 }))
                ids.push(one.id);
            assert.equal(ids.length, 13);
            assert.equal(new Set(ids).size, 13);
            assert.equal(ids.at(-1), customer.id);
            const since = Math.floor(Date.now() / 1000) + 60;
            assert.equal((await stripe.charges.list({ created: { gte: since } })).data.length, 0);
            assert.ok((await stripe.charges.list({ created: { lt: since }, limit: 100, expand: ['data.balance_transaction'] })).data[0].balance_transaction.fee);
            await assert.rejects(stripe.customers.list({ limit: 500 }), Stripe.errors.StripeInvalidRequestError);
        },
        'a key makes a call once': async () => {
            const options = { idempotencyKey: 'key-1' };
            const first = await stripe.customers.create({ name: 'once' }, options);
            const again = await stripe.customers.create({ name: 'once' }, options);
            assert.equal(again.id, first.id);
            assert.equal(again.lastResponse.headers['idempotent-replayed'], 'true');
            await assert.rejects(stripe.customers.create({ name: 'other' }, options), Stripe.errors.StripeIdempotencyError);
        },
        'errors have their classes': async () => {
            await assert.rejects(stripe.charges.retrieve('ch_none'), (error) => {
                assert.ok(error instanceof Stripe.errors.StripeInvalidRequestError);
                assert.equal(error.code, 'resource_missing');
                assert.equal(error.statusCode, 404);
                assert.ok(error.requestId.startsWith('req_'));
                return true;
            });
            await assert.rejects(stripe.customers.create({ nickname: 'x' }), { code: 'parameter_unknown', param: 'nickname' });
            const stranger = new Stripe('sk_test_no', { ...base });
            await assert.rejects(stranger.charges.list(), Stripe.errors.StripeAuthenticationError);
            const older = new Stripe(key, { ...base, apiVersion: '2019-01-01' });
            await assert.rejects(older.charges.list(), Stripe.errors.StripeInvalidRequestError);
            await world('fault', { kind: 0, status: 429 });
            await assert.rejects(stripe.charges.list({}, { maxNetworkRetries: 0 }), Stripe.errors.StripeRateLimitError);
            await world('fault', { kind: 0, status: 500 });
            await assert.rejects(stripe.charges.list({}, { maxNetworkRetries: 0 }), Stripe.errors.StripeAPIError);
        },
        'what fails in passing is repeated': async () => {
            const before = (await stripe.customers.list({ limit: 100 })).data.length;
            await world('fault', { kind: 0, status: 503 });
            await world('fault', { kind: 3, status: 0 }); // done, and hung up
            const made = await stripe.customers.create({ name: 'persistent' }, { maxNetworkRetries: 3 });
            assert.ok(made.id);
            assert.equal((await stripe.customers.list({ limit: 100 })).data.length, before + 1);
        },
        'events tell it all and verify': async () => {
            const events = (await world('events')).events;
            note(events);
            const types = new Set(events.map((event) => event.type));
            for (const type of ['checkout.session.completed', 'checkout.session.expired', 'customer.subscription.created', 'customer.subscription.updated',
                'customer.subscription.deleted', 'invoice.paid', 'invoice.payment_failed', 'charge.refunded', 'charge.dispute.created', 'charge.dispute.closed'])
                assert.ok(types.has(type), type);
            const listed = await stripe.events.list({ types: ['invoice.paid', 'charge.refunded'], limit: 100 });
            assert.equal(listed.data.length, events.filter((event) => ['invoice.paid', 'charge.refunded'].includes(event.type)).length);
            const payload = JSON.stringify(events[0], null, 2);
            const header = stripe.webhooks.generateTestHeaderString({ payload, secret: 'whsec_x' });
            assert.equal(stripe.webhooks.constructEvent(payload, header, 'whsec_x').id, events[0].id);
        },
    };
}

// Every parameter that the fake takes, as FakeStripeRoutes.cpp allows them: they must be the SDK's too.
const parameters = `
export const p1: Stripe.Checkout.SessionCreateParams = { mode: 'payment', client_reference_id: '', customer: '', success_url: '', cancel_url: '',
    adaptive_pricing: { enabled: false }, line_items: [{ quantity: 1, price: '' }, { quantity: 1, price_data: { currency: '', unit_amount: 1,
    product_data: { name: '' } } }], metadata: { a: '' }, payment_intent_data: { metadata: { a: '' } }, automatic_tax: { enabled: true },
    subscription_data: { metadata: { a: '' }, trial_period_days: 7 }, customer_update: { address: 'auto' }, expand: [''] };
export const p2: Stripe.SubscriptionUpdateParams = { items: [{ id: '', price: '' }], cancel_at_period_end: true, proration_behavior: 'always_invoice',
    payment_behavior: 'error_if_incomplete', metadata: { a: '' }, expand: [''] };
export const p3: Stripe.RefundCreateParams = { payment_intent: '', charge: '', amount: 1, reason: 'requested_by_customer', metadata: { a: '' } };
export const p4: Stripe.PriceCreateParams = { product: '', currency: '', unit_amount: 1, recurring: { interval: 'month' }, lookup_key: '',
    transfer_lookup_key: true, metadata: { a: '' }, product_data: { name: '' } };
export const p5: Stripe.PriceListParams = { lookup_keys: [''], active: true, limit: 1, starting_after: '' };
export const p6: Stripe.BillingPortal.SessionCreateParams = { customer: '', return_url: '', configuration: '' };
export const p7: Stripe.InvoicePaymentListParams = { invoice: '', status: 'paid', payment: { type: 'payment_intent', payment_intent: '' },
    created: { gte: 1, lt: 2 }, expand: [''], limit: 1, starting_after: '' };
export const p8: Stripe.EventListParams = { types: [''], type: '', created: { gte: 1, lt: 2 }, limit: 1, starting_after: '' };
export const p9: Stripe.ChargeListParams = { created: { gte: 1, lt: 2 }, customer: '', payment_intent: '', limit: 1, starting_after: '', expand: [''] };
export const p10: Stripe.RefundListParams = { created: { gte: 1, lt: 2 }, charge: '', payment_intent: '', expand: [''] };
export const p11: Stripe.DisputeListParams = { created: { gte: 1, lt: 2 }, charge: '', expand: [''] };
export const p12: Stripe.CustomerCreateParams = { email: '', name: '', metadata: { a: '' } };
export const p13: Stripe.ProductCreateParams = { id: '', name: '', metadata: { a: '' } };
export const p14: Stripe.InvoiceListParams = { subscription: '', status: 'paid', customer: '', created: { gte: 1 } };
// @ts-expect-error a field that there is not, so that the check itself is checked
export const wrong1: Part<Stripe.Charge> = { object: 'charge', invoice: 'in_1' };
// @ts-expect-error
export const wrong2: Part<Stripe.Subscription> = { current_period_end: 1 };
// @ts-expect-error
export const wrong3: Stripe.RefundCreateParams = { payment: '' };
`;

// Every object as a literal of the SDK's type: a field that is none, or of another type, does not compile.
function heldAgainstTypes() {
    const types = { 'checkout.session': 'Stripe.Checkout.Session', charge: 'Stripe.Charge', customer: 'Stripe.Customer', dispute: 'Stripe.Dispute',
        event: 'Stripe.Event', invoice: 'Stripe.Invoice', invoice_payment: 'Stripe.InvoicePayment', payment_intent: 'Stripe.PaymentIntent',
        price: 'Stripe.Price', product: 'Stripe.Product', refund: 'Stripe.Refund', subscription: 'Stripe.Subscription',
        balance_transaction: 'Stripe.BalanceTransaction', 'billing_portal.session': 'Stripe.BillingPortal.Session',
        line_item: 'Stripe.InvoiceLineItem', subscription_item: 'Stripe.SubscriptionItem' };
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'stripe-types-'));
    const modules = path.resolve(process.env.NODE_PATH);
    fs.symlinkSync(modules, path.join(folder, 'node_modules'));
    const lines = ["import Stripe from 'stripe';",
        'type Part<T> = T extends (infer E)[] ? Part<E>[] : T extends object ? { [K in keyof T]?: Part<T[K]> } : T;'];
    let count = 0;
    for (const object of seen.values()) {
        assert.ok(types[object.object], `no type is known for ${object.object}`);
        if (object.object === 'event') // its data is held against the types by itself
            object.data = undefined;
        lines.push(`export const object${count++}: Part<${types[object.object]}> = ${JSON.stringify(object)};`);
    }
    lines.push(parameters);
    fs.writeFileSync(path.join(folder, 'objects.ts'), lines.join('\n'));
    const tsc = spawnSync(process.execPath, [path.join(modules, 'typescript', 'bin', 'tsc'), '--noEmit', '--strict', '--skipLibCheck', '--esModuleInterop', '--target', 'es2022',
        '--module', 'commonjs', '--moduleResolution', 'node10', '--types', 'node', path.join(folder, 'objects.ts')], { encoding: 'utf8', cwd: folder });
    fs.rmSync(folder, { recursive: true });
    return { count, kinds: new Set([...seen.values()].map((object) => object.object)).size, failed: tsc.status !== 0, output: tsc.stdout || tsc.stderr || String(tsc.error) };
}

async function main() {
    const child = spawn(process.argv[2], { stdio: ['pipe', 'pipe', 'inherit'] });
    const lines = readline.createInterface({ input: child.stdout });
    const { url, key } = JSON.parse(await new Promise((done) => lines.once('line', done)));
    const base = { host: '127.0.0.1', port: new URL(url).port, protocol: 'http', telemetry: false, maxNetworkRetries: 0 };
    const stripe = new Stripe(key, base);
    stripe.on('response', () => {});
    const world = async (what, params = {}) => {
        const answer = await fetch(`${url}/test/${what}?${new URLSearchParams(params)}`, { method: 'POST' });
        assert.equal(answer.status, 200, what);
        return answer.json();
    };
    // All that is answered passes here.
    const realFetch = fetch;
    const spy = async (place) => note(await (await realFetch(`${url}/v1/${place}`, { headers: { Authorization: `Bearer ${key}`, 'Stripe-Version': '2026-10-28.endive' } })).json());
    let failed = 0;
    for (const [name, test] of Object.entries(tests(stripe, world, base, key))) {
        try {
            await test();
            console.log(`ok    ${name}`);
        } catch (error) {
            ++failed;
            console.log(`FAIL  ${name}: ${error.stack}`);
        }
    }
    for (const place of ['customers?limit=100', 'prices?limit=100', 'charges?limit=100', 'refunds?limit=100', 'disputes?limit=100', 'invoices?limit=100&expand[]=data.payments', 'invoice_payments?limit=100'])
        await spy(place);
    child.stdin.end();
    const { count, kinds, failed: mistyped, output } = heldAgainstTypes();
    console.log(`${mistyped ? 'FAIL ' : 'ok   '} ${count} objects of ${kinds} kinds by the SDK's types`);
    if (mistyped)
        console.log(output.slice(0, 6000));
    process.exit(failed || mistyped || count < 20 ? 1 : 0);
}

main().catch((error) => {
    console.error(error);
    process.exit(1);
});
