#include "payments/google/GoogleProvider.h"

#include <QJsonDocument>

#include <algorithm>

namespace companion::payments {

using namespace Qt::StringLiterals;

namespace {

std::unexpected<Refusal> notBelievedByUs(const QString &why)
{
    return std::unexpected(
        Refusal{.code = ErrorCode::MalformedRequest, .detail = u"This webhook is not believed."_s, .log = why});
}

std::unexpected<Refusal> noPurchase(const QString &detail)
{
    return std::unexpected(
        Refusal{.code = ErrorCode::Invalid, .detail = detail, .errors = {{u"/receipt"_s, u"is not accepted"_s}}});
}

template <class T>
Result<T> readGoogle(const QJsonObject &object, const char *what)
{
    auto read = T::from(object);
    if (!read)
        return std::unexpected(Refusal{.code = ErrorCode::ProviderFailed,
                                       .detail = u"Google Play gave an answer that cannot be read."_s,
                                       .log = u"Google: a %1 not as documented"_s.arg(QString::fromLatin1(what))});
    return *read;
}

// What the client hands in: the token alone, or the purchase as the Billing Library has it.
struct GoogleReceipt
{
    QString token;
    QString product; // may be empty
};

std::optional<GoogleReceipt> receiptIn(const QString &text, const QString &packageName)
{
    GoogleReceipt receipt{text.trimmed(), {}};
    if (receipt.token.startsWith(u'{')) {
        const QJsonObject object = QJsonDocument::fromJson(receipt.token.toUtf8()).object();
        if (object.value("packageName"_L1).toString(packageName) != packageName)
            return std::nullopt;
        receipt = {object.value("purchaseToken"_L1).toString(), object.value("productId"_L1).toString()};
    }
    const bool isGood = isGoogleToken(receipt.token) && (receipt.product.isEmpty() || isGoogleProduct(receipt.product));
    return isGood ? std::optional(receipt) : std::nullopt;
}

} // namespace

// One purchase, as far as it has been looked at.
struct GoogleProvider::Look
{
    QString token;
    bool isSubscription = false;
    QString product = {}; // of a one-time purchase
    QString voided = {};  // an order of it that was paid back
    std::optional<UserId> claimant = {};
    Then<FactList> then = {};

    QDateTime askedAt = {};
    std::optional<GoogleSale> sale = {};
    std::optional<GoogleSubscription> subscription = {};
    std::optional<GoogleSubscription> linked = {};
    std::optional<GoogleOrder> order = {}; // the newest
    QList<GoogleOrder> others = {};
};

// What is asked for one day, one after the other.
struct GoogleProvider::Day
{
    QDateTime from;
    QDateTime to;
    Then<FactList> then;
    QList<Look> todo = {};
    QSet<QString> voided = {};
    FactList facts = {};
};

GoogleProvider::GoogleProvider(db::Workers &operators, const Clock &clock, Options options,
                               const GoogleApi::Options &api, const GoogleAccount &account,
                               jose::PublishedCertificates &certificates, QObject *parent)
    : PaymentProvider(parent)
    , m_operators(operators)
    , m_clock(clock)
    , m_options(std::move(options))
    , m_certificates(certificates)
    , m_push(m_options.push, [keys = &certificates](const QString &id) { return keys->key(id); })
    , m_api(clock, api, account)
{
    m_timer.setInterval(settleEvery_ms);
    connect(&m_timer, &QTimer::timeout, this, &GoogleProvider::settleDue);
}

void GoogleProvider::open()
{
    m_timer.start();
    settleDue();
}

void GoogleProvider::close()
{
    m_timer.stop();
}

void GoogleProvider::verifyWebhook(const Webhook &webhook, const QDateTime &now, const Then<ProviderEvent> &then)
{
    const auto wanted = GooglePushToken::wantedKey(webhook.header("Authorization"));
    if (!wanted)
        return then(notBelievedByUs(u"forged: no bearer token of Google's"_s));
    m_certificates.want(*wanted, this, [=, this] {
        // A key that is not known may be a forger's or a new one; while the list is old, nobody can tell.
        if (!m_certificates.key(*wanted) && !m_certificates.state().fresh)
            return then(std::unexpected(Refusal{.code = ErrorCode::NotReady,
                                                .detail = u"Google's certificates cannot be had at the moment."_s,
                                                .retryAfter_s = 10}));
        verifyWithKeys(webhook, now, then);
    });
}

void GoogleProvider::verifyWithKeys(const Webhook &webhook, const QDateTime &now, const Then<ProviderEvent> &then) const
{
    if (const auto verified = m_push.verify(webhook.header("Authorization"), now); !verified)
        return then(notBelievedByUs(verified.error()));
    const auto told = readGooglePush(webhook.body, m_options.packageName);
    if (!told)
        return then(notBelievedByUs(told.error()));
    ProviderEvent event{told->id, told->type, told->at, {}, {}};
    if (told->kind != GoogleNotification::Kind::Test)
        event.lookUp = told->toLookUp();
    then(event);
}

void GoogleProvider::complete(const ProviderEvent &event, const Then<ProviderEvent> &then)
{
    using Kind = GoogleNotification::Kind;
    const auto told = event.lookUp ? GoogleNotification::fromLookUp(*event.lookUp) : std::nullopt;
    if (!told)
        return then(event);
    look(std::make_shared<Look>(Look{.token = told->token,
                                     .isSubscription = told->kind == Kind::Subscription || told->isSubscription,
                                     .product = told->product,
                                     .voided = told->order,
                                     .then = [this, event, then](const Result<FactList> &facts) {
                                         const bool isUnknown = !facts && facts.error().code == ErrorCode::NotFound;
                                         if (isUnknown && event.createdAt.secsTo(m_clock.now()) > unknownFor_s)
                                             return then(event); // it is gone, and will not come back
                                         if (!facts) // whatever kept us from knowing: asked again
                                             return then(std::unexpected(Refusal{.code = ErrorCode::ProviderFailed,
                                                                                 .detail = facts.error().detail,
                                                                                 .log = facts.error().log}));
                                         ProviderEvent whole = event;
                                         whole.facts = *facts;
                                         then(whole);
                                     }}));
}

void GoogleProvider::redeem(const Receipt &receipt, const Then<FactList> &then)
{
    const auto read = receiptIn(receipt.text, m_options.packageName);
    if (!read)
        return then(noPurchase(u"This is no purchase token of our app's."_s));
    const auto answer = [then](const Result<FactList> &facts) {
        if (!facts && facts.error().code == ErrorCode::NotFound)
            return then(noPurchase(facts.error().detail));
        then(facts);
    };
    Look wanted{.token = read->token,
                .isSubscription = receipt.kind == PaidFor::Period,
                .product = read->product,
                .claimant = receipt.user,
                .then = answer};
    if (wanted.isSubscription || !wanted.product.isEmpty())
        return look(std::make_shared<Look>(wanted));
    // The token alone does not tell what was bought: then it is what the client says, as Google calls it.
    m_operators.act(
        this,
        [product = receipt.product](db::Session &db) {
            return StoreCatalogue::load(db, Provider::Google).idsOf(PaidFor::CreditPackage, product);
        },
        [this, wanted, then](const Result<QStringList> &ids) {
            if (!ids)
                return then(std::unexpected(ids.error()));
            if (ids->size() != 1)
                return then(noPurchase(u"Say which product of Google's it is: send the purchase's JSON."_s));
            auto looking = std::make_shared<Look>(wanted);
            looking->product = ids->first();
            look(looking);
        });
}

void GoogleProvider::look(const Looking &looking)
{
    looking->askedAt = m_clock.now();
    if (looking->isSubscription)
        return lookAtSubscription(looking);
    looking->voided.isEmpty() ? lookAtSale(looking) : lookAtOrder(looking, looking->voided);
}

// subscription → its newest order → the one it took the place of → the order that was paid back → facts
void GoogleProvider::lookAtSubscription(const Looking &looking)
{
    m_api.subscription(looking->token, [this, looking](const Result<QJsonObject> &answer) {
        const auto read =
            answer ? readGoogle<GoogleSubscription>(*answer, "subscription") : std::unexpected(answer.error());
        if (!read)
            return looking->then(std::unexpected(read.error()));
        looking->subscription = *read;
        const bool hasOrder = !read->order.isEmpty() && !read->isTest;
        hasOrder ? lookAtOrder(looking, read->order) : lookAtLinked(looking);
    });
}

void GoogleProvider::lookAtSale(const Looking &looking)
{
    m_api.product(looking->product, looking->token, [this, looking](const Result<QJsonObject> &answer) {
        const auto read = answer ? readGoogle<GoogleSale>(*answer, "purchase") : std::unexpected(answer.error());
        if (!read)
            return looking->then(std::unexpected(read.error()));
        looking->sale = *read;
        const bool hasOrder = !read->order.isEmpty() && !read->isTest && read->state != GoogleSale::State::Pending;
        hasOrder ? lookAtOrder(looking, read->order) : readOut(looking);
    });
}

void GoogleProvider::lookAtOrder(const Looking &looking, const QString &id)
{
    m_api.order(id, [this, looking, id](const Result<QJsonObject> &answer) {
        const auto read = answer ? readGoogle<GoogleOrder>(*answer, "order") : std::unexpected(answer.error());
        if (!read)
            return looking->then(std::unexpected(read.error()));
        const bool isNewest = looking->subscription && id == looking->subscription->order && !looking->order;
        if (looking->isSubscription && isNewest) {
            looking->order = *read;
            return lookAtLinked(looking);
        }
        looking->isSubscription ? looking->others.append(*read) : void(looking->order = *read);
        readOut(looking);
    });
}

void GoogleProvider::lookAtLinked(const Looking &looking)
{
    const auto goOn = [this, looking] {
        const bool isKnown = looking->order && looking->order->id == looking->voided;
        looking->voided.isEmpty() || isKnown ? readOut(looking) : lookAtOrder(looking, looking->voided);
    };
    const QString linked = looking->subscription->linkedToken;
    if (linked.isEmpty())
        return goOn();
    m_api.subscription(linked, [looking, goOn](const Result<QJsonObject> &answer) {
        // One that Google has forgotten has ended by itself.
        const bool isGone = !answer && answer.error().code == ErrorCode::NotFound;
        if (!answer && !isGone)
            return looking->then(std::unexpected(answer.error()));
        if (answer)
            looking->linked = GoogleSubscription::from(*answer);
        goOn();
    });
}

void GoogleProvider::readOut(const Looking &looking)
{
    Look copy = *looking;
    copy.then = {}; // what it holds belongs to this thread
    m_operators.act(
        this, [seen = copy, tests = m_options.acceptsTests](db::Session &db) { return factsOf(db, seen, tests); },
        [looking](const Result<FactList> &facts) { looking->then(facts); });
}

Result<FactList> GoogleProvider::factsOf(db::Session &db, const Look &seen, bool acceptsTests)
{
    const bool isTest = (seen.sale && seen.sale->isTest) || (seen.subscription && seen.subscription->isTest);
    if (isTest && !acceptsTests)
        return seen.claimant ? Result<FactList>(noPurchase(u"Testers' purchases do not count here."_s)) : FactList();
    std::optional<UserId> user = seen.subscription ? seen.subscription->user
        : seen.sale                                ? seen.sale->user
                                                   : std::nullopt;
    if (user && seen.claimant && *user != *seen.claimant)
        return noPurchase(u"This purchase belongs to another account."_s);
    if (!user)
        user = seen.claimant;
    const QString linked = seen.subscription ? seen.subscription->linkedToken : QString();
    if (!user)
        if (const auto row = db.first("payments.google_owner", {{"token", seen.token}, {"linked", linked}}))
            user = row->id<UserId>("user_id");
    const auto catalogue = StoreCatalogue::load(db, Provider::Google);
    FactList facts;
    const auto paidBy = [&](const GoogleOrder &order) {
        const QString reference = order.isSubscription ? googleReference(seen.token) : QString();
        facts.payments.append(googlePayments(order, user, reference, catalogue, seen.askedAt));
    };
    if (seen.subscription)
        addSubscription(db, seen, user, catalogue, facts);
    if (seen.order)
        paidBy(*seen.order);
    else if (seen.sale)
        facts.payments = googleGift(*seen.sale, seen.product, seen.token, user, catalogue, seen.askedAt);
    for (const GoogleOrder &other : seen.others)
        paidBy(other);
    if (user && !facts.isEmpty() && (seen.sale || seen.subscription))
        remember(db, seen, *user);
    if (seen.claimant && facts.isEmpty())
        return noPurchase(u"This purchase has not been paid."_s);
    return facts;
}

void GoogleProvider::addSubscription(db::Session &db, const Look &seen, const std::optional<UserId> &user,
                                     const StoreCatalogue &catalogue, FactList &facts)
{
    const GoogleSubscription &now = *seen.subscription;
    if (seen.linked) {
        // Whose place it took has ended, and stays its own user's.
        std::optional<UserId> owner = user;
        if (const auto row = db.first("payments.google_owner", {{"token", now.linkedToken}, {"linked", QString()}}))
            owner = row->id<UserId>("user_id");
        const QDateTime replacedAt = now.startedAt.isValid() ? now.startedAt : seen.askedAt;
        if (now.state != GoogleSubscription::State::Pending)
            if (const auto ended =
                    googleSubscription(*seen.linked, now.linkedToken, {}, owner, catalogue, seen.askedAt, replacedAt))
                facts.subscriptions.append(*ended);
    }
    if (const auto fact = googleSubscription(now, seen.token, seen.order, user, catalogue, seen.askedAt))
        facts.subscriptions.append(*fact);
}

void GoogleProvider::remember(db::Session &db, const Look &seen, const UserId &user)
{
    const auto &sub = seen.subscription;
    const QString order = sub ? sub->order : seen.sale->order;
    db.execute("payments.google_remember",
               {{"token", seen.token},
                {"reference", googleReference(seen.token)},
                {"user_id", user},
                {"kind", sub ? PaidFor::Period : PaidFor::CreditPackage},
                {"store_product", sub ? sub->product : seen.product},
                {"order_id", order.isEmpty() ? std::nullopt : std::optional(order)},
                {"purchased_at", sub ? sub->startedAt : seen.sale->purchasedAt},
                {"settled", sub ? sub->isSettled : seen.sale->isSettled},
                {"now", db.now()}});
}

void GoogleProvider::lookByReference(const QString &reference, const Then<FactList> &then)
{
    m_operators.act(
        this,
        [reference](db::Session &db) -> Result<Look> {
            const auto row = db.first("payments.google_by_reference", {{"reference", reference}});
            if (!row)
                return refuse(ErrorCode::NotFound, u"There is no such purchase at Google Play."_s);
            return Look{.token = row->text("token"),
                        .isSubscription = row->value<PaidFor>("kind") == PaidFor::Period,
                        .product = row->text("store_product")};
        },
        [this, then](const Result<Look> &found) {
            if (!found)
                return then(std::unexpected(found.error()));
            auto looking = std::make_shared<Look>(*found);
            looking->then = then;
            look(looking);
        });
}

void GoogleProvider::fetchSubscription(const QString &reference, const Then<FactList> &then)
{
    lookByReference(reference, then);
}

void GoogleProvider::cancel(const SubscriptionOrder &order, const Then<FactList> &then)
{
    m_operators.act(
        this,
        [reference = order.reference](db::Session &db) -> Result<std::pair<QString, QString>> {
            const auto row = db.first("payments.google_by_reference", {{"reference", reference}});
            if (!row)
                return refuse(ErrorCode::NotFound, u"There is no such subscription at Google Play."_s);
            return std::pair(row->text("token"), row->text("store_product"));
        },
        [=, this](const Result<std::pair<QString, QString>> &found) {
            if (!found)
                return then(std::unexpected(found.error()));
            m_api.cancel(found->second, found->first, [=, this](const Result<bool> &canceled) {
                canceled ? lookByReference(order.reference, then) : then(std::unexpected(canceled.error()));
            });
        });
}

void GoogleProvider::refund(const RefundOrder &order, const Then<FactList> &then)
{
    const auto found = std::ranges::find_if(order.references, isGoogleOrder);
    if (!order.whole || found == order.references.end())
        return then(refuse(ErrorCode::Invalid, u"Google Play pays back whole orders only."_s));
    const auto read = [](const Result<QJsonObject> &answer) {
        return answer ? readGoogle<GoogleOrder>(*answer, "order")
                      : Result<GoogleOrder>(std::unexpected(answer.error()));
    };
    m_api.order(*found, [=, this, id = *found](const Result<QJsonObject> &answer) {
        const auto before = read(answer);
        if (!before)
            return then(std::unexpected(before.error()));
        if (before->quantity > 1)
            return then(
                refuse(ErrorCode::Invalid, u"This order has several pieces: pay it back in the Play Console."_s));
        // Asked again after an answer that was lost: it is done.
        const auto finish = [=, this](const Result<bool> &refunded) {
            if (!refunded)
                return then(std::unexpected(refunded.error()));
            auto looking = std::make_shared<Look>(Look{.token = before->token,
                                                       .isSubscription = before->isSubscription,
                                                       .product = before->product,
                                                       .voided = id,
                                                       .then = then});
            look(looking);
        };
        before->refunded_minor >= before->total_minor ? finish(true) : m_api.refund(id, finish);
    });
}

void GoogleProvider::listPayments(const QDateTime &from, const QDateTime &to, const Then<FactList> &then)
{
    m_api.voided(from, to, [=, this](const Result<QList<GoogleApi::Voided>> &voided) {
        if (!voided)
            return then(std::unexpected(voided.error()));
        auto day = std::make_shared<Day>(Day{.from = from, .to = to, .then = then});
        for (const auto &one : *voided) {
            if (!isGoogleToken(one.token) || !isGoogleOrder(one.order) || day->voided.contains(one.order))
                continue;
            day->voided.insert(one.order);
            day->todo.append({.token = one.token, .voided = one.order});
        }
        m_operators.act(
            this,
            [from, to](db::Session &db) {
                QList<Look> known;
                for (const auto &row : db.rows("payments.google_to_compare", {{"from", from}, {"to", to}}))
                    known.append({.token = row.text("token"),
                                  .isSubscription = row.value<PaidFor>("kind") == PaidFor::Period,
                                  .product = row.text("store_product")});
                return known;
            },
            [this, day](const Result<QList<Look>> &known) {
                if (!known)
                    return day->then(std::unexpected(known.error()));
                day->todo.append(*known);
                nextOfDay(day);
            });
    });
}

void GoogleProvider::nextOfDay(const std::shared_ptr<Day> &day)
{
    if (day->todo.isEmpty())
        return day->then(day->facts);
    auto looking = std::make_shared<Look>(day->todo.takeFirst());
    looking->then = [this, day](const Result<FactList> &facts) {
        if (!facts && facts.error().code != ErrorCode::NotFound)
            return day->then(std::unexpected(facts.error()));
        const FactList said = facts.value_or(FactList());
        day->facts.subscriptions.append(said.subscriptions);
        for (const PaymentFact &payment : said.payments) {
            const bool isOfDay = payment.at >= day->from && payment.at < day->to;
            const bool isKnown = std::ranges::any_of(day->facts.payments, [&](const PaymentFact &other) {
                return other.references == payment.references;
            });
            if (!isKnown && (isOfDay || day->voided.contains(payment.references.first().section(u'#', 0, 0))))
                day->facts.payments.append(payment);
        }
        nextOfDay(day);
    };
    look(looking);
}

void GoogleProvider::acknowledge(const QStringList &, PaidFor, const QString &)
{
    settleDue();
}

void GoogleProvider::settleDue()
{
    if (m_settling)
        return;
    m_settling = true;
    struct Due
    {
        QString token;
        PaidFor kind;
        QString product;
    };
    m_operators.act(
        this,
        [](db::Session &db) {
            QList<Due> due;
            for (const auto &row : db.rows("payments.google_take_due", {{"now", db.now()}, {"batch", settleBatch}}))
                due.append({row.text("token"), row.value<PaidFor>("kind"), row.text("store_product")});
            return due;
        },
        [this](const Result<QList<Due>> &due) {
            m_settling = false;
            for (const Due &one : due.value_or(QList<Due>()))
                settle(one.token, one.kind, one.product);
        });
}

void GoogleProvider::settle(const QString &token, PaidFor kind, const QString &product)
{
    const auto done = [=, this](const Result<bool> &told) {
        m_operators.act([token, told](db::Session &db) {
            if (told)
                db.execute("payments.google_settled", {{"token", token}, {"now", db.now()}});
            else
                db.execute("payments.google_not_settled", {{"token", token}, {"error", told.error().log.left(300)}});
        });
        // Refused: the app may have done it itself; then it is found so, and remembered.
        if (!told && told.error().code == ErrorCode::NotFound)
            look(std::make_shared<Look>(Look{.token = token,
                                             .isSubscription = kind == PaidFor::Period,
                                             .product = product,
                                             .then = [](const auto &) { }}));
    };
    kind == PaidFor::Period ? m_api.acknowledge(product, token, done) : m_api.consume(product, token, done);
}

} // namespace companion::payments
