#include "console/models/WalletModels.h"

#include "console/models/Format.h"
#include "console/models/Words.h"

namespace companion::console {

namespace {

constexpr int transactionsPerPage = 50;
constexpr int shortestReason = 3; // Reason's own rule

QVariant partCell(Credits amount, int role)
{
    return role == SecondaryRole ? QVariant(true)
                                 : cells::text(amount.isZero() ? QString() : format::signedCredits(amount), role);
}

QVariant amountCell(const Transaction &transaction, int role)
{
    // Credits that arrive stand out; the many small charges stay calm.
    if (role == ToneRole)
        return QVariant::fromValue(transaction.amount.units() > 0 ? Tone::Positive : Tone::Neutral);
    return cells::text(format::signedCredits(transaction.amount), role);
}

// "Daily free" where one bucket moved; where several did, each with its part.
QVariant bucketsCell(const Transaction &transaction, int role)
{
    const std::pair<Bucket, Credits> all[]{{Bucket::DailyFree, transaction.buckets.dailyFree},
                                           {Bucket::Purchased, transaction.buckets.purchased},
                                           {Bucket::Bonus, transaction.buckets.bonus}};
    QStringList names, parts;
    for (const auto &[bucket, amount] : all) {
        if (amount.isZero())
            continue;
        names.append(words::bucket(bucket));
        parts.append(words::bucket(bucket) + u' ' + format::signedCredits(amount));
    }
    if (role == Qt::ToolTipRole)
        return parts.join(u'\n');
    return cells::quiet((names.size() > 1 ? parts : names).join(QStringLiteral(", ")), role);
}

using Row = Transaction;

} // namespace

LotsModel::LotsModel(QObject *parent)
    : RowsModel({{{words::title(&Lot::bucket)},
                  [](const Lot &lot, int role) { return cells::text(words::bucket(lot.bucket), role); }},
                 {{words::title(&Lot::remaining), Align::Right},
                  [](const Lot &lot, int role) { return cells::text(format::credits(lot.remaining), role); }},
                 {{words::title(&Lot::expiresAt), Align::Right},
                  [](const Lot &lot, int role) {
                      return lot.expiresAt ? cells::time(*lot.expiresAt, role) : cells::quiet(tr("never"), role);
                  }}},
                parent)
{
}

TransactionsModel::TransactionsModel(UsersApi &api, QObject *parent)
    : RowsModel(
          {{{words::title(&Row::createdAt)}, [](const Row &t, int role) { return cells::time(t.createdAt, role); }},
           {{words::title(&Row::kind)}, [](const Row &t, int role) { return cells::text(words::kind(t.kind), role); }},
           {{words::title(&Row::description)},
            [](const Row &t, int role) { return cells::quiet(t.description, role); }},
           {{tr("Buckets")}, bucketsCell},
           {{words::title(&Row::amount), Align::Right}, amountCell},
           {{tr("Balance"), Align::Right},
            [](const Row &t, int role) { return cells::text(format::credits(t.balanceAfter.total()), role); }},
           {{words::title(&BucketAmounts::dailyFree), Align::Right},
            [](const Row &t, int role) { return partCell(t.buckets.dailyFree, role); }},
           {{words::title(&BucketAmounts::purchased), Align::Right},
            [](const Row &t, int role) { return partCell(t.buckets.purchased, role); }},
           {{words::title(&BucketAmounts::bonus), Align::Right},
            [](const Row &t, int role) { return partCell(t.buckets.bonus, role); }}},
          parent)
    , m_api(api)
{
}

void TransactionsModel::load(const UserId &user)
{
    m_call.abort();
    if (m_user != user)
        setRows({});
    m_user = user;
    m_cursor.reset();
    m_first = true;
    fetch();
}

bool TransactionsModel::canFetchMore(const QModelIndex &parent) const
{
    return !parent.isValid() && m_more && !m_call.isRunning();
}

void TransactionsModel::fetchMore(const QModelIndex &parent)
{
    if (canFetchMore(parent))
        fetch();
}

void TransactionsModel::fetch()
{
    m_call = m_api.transactions(m_user, transactionsPerPage, m_cursor);
    m_call.then(this, [this](const ApiResult<Page<Transaction>> &page) { take(page); });
}

void TransactionsModel::take(const ApiResult<Page<Transaction>> &page)
{
    if (!page) {
        if (page.error().kind != Problem::Kind::Cancelled)
            Q_EMIT failed(page.error());
        return;
    }
    m_cursor = page->nextCursor;
    m_more = page->hasMore && m_cursor;
    if (std::exchange(m_first, false))
        setRows(page->items);
    else
        appendRows(page->items);
    Q_EMIT loaded();
}

Credits bucketOf(const Balance &balance, Bucket bucket)
{
    switch (bucket) {
    case Bucket::DailyFree:
        return balance.dailyFree;
    case Bucket::Purchased:
        return balance.purchased;
    case Bucket::Bonus:
        return balance.bonus;
    }
    return {};
}

static QString adjustmentProblem(const std::optional<Credits> &amount, const QString &typed, const Balance &balance,
                                 Bucket bucket)
{
    if (typed.isEmpty())
        return {};
    if (!amount)
        return TransactionsModel::tr("An amount has at most 4 places after the point, like 12.5 or -3.");
    if (amount->isZero())
        return TransactionsModel::tr("The amount is zero.");
    if ((bucketOf(balance, bucket) + *amount).isNegative())
        return TransactionsModel::tr("Only %1 are there to take.").arg(format::credits(bucketOf(balance, bucket)));
    if ((balance.available + *amount).isNegative())
        return TransactionsModel::tr("%1 are held for a reply under way; only %2 are free to take.")
            .arg(format::credits(balance.held), format::credits(balance.available));
    return {};
}

// People type a plus, and paste the typographic minus that we show.
static QString plainAmount(const QString &typed)
{
    QString text = typed.trimmed();
    text.replace(QChar(0x2212), u'-');
    return text.startsWith(u'+') ? text.mid(1) : text;
}

AdjustmentPreview previewAdjustment(const Balance &balance, Bucket bucket, const QString &amount, const QString &reason)
{
    constexpr std::int64_t mostUnits = 1'000'000'000LL * 10'000; // keeps the sums below far inside int64
    const QString text = plainAmount(amount);
    auto parsed = Credits::parse(text);
    if (parsed && std::abs(parsed->units()) > mostUnits)
        parsed.reset();
    const Credits change = parsed.value_or(Credits());
    AdjustmentPreview preview{.bucketBefore = bucketOf(balance, bucket),
                              .bucketAfter = bucketOf(balance, bucket) + change,
                              .totalBefore = balance.total,
                              .totalAfter = balance.total + change,
                              .problem = adjustmentProblem(parsed, text, balance, bucket)};
    if (parsed && preview.problem.isEmpty() && reason.trimmed().size() >= shortestReason)
        preview.request = AdjustmentRequest{bucket, *parsed, reason.trimmed()};
    return preview;
}

} // namespace companion::console
