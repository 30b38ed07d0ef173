#include "console/ui/pages/money/RevenueTab.h"

#include "console/models/Format.h"
#include "console/models/MoneyWords.h"
#include "console/models/Words.h"
#include "console/ui/widgets/CellDelegate.h"
#include "console/ui/widgets/ChipGroup.h"
#include "console/ui/widgets/KpiTile.h"
#include "console/ui/widgets/Look.h"

#include <QFileDialog>
#include <QSaveFile>

namespace companion::console {

namespace {

constexpr int tileCount = 4;

// A year of months, a quarter of weeks, a month of days: each ends today.
QDateTime beginningOf(RevenueInterval interval, const QDateTime &now)
{
    const QDate today = now.toUTC().date();
    switch (interval) {
    case RevenueInterval::Month:
        return QDate(today.year(), today.month(), 1).addMonths(-11).startOfDay(Qt::UTC);
    case RevenueInterval::Week:
        return today.addDays(1 - today.dayOfWeek() - 7 * 12).startOfDay(Qt::UTC);
    case RevenueInterval::Day:
        return today.addDays(-29).startOfDay(Qt::UTC);
    }
    return now;
}

} // namespace

QList<Kpi> revenueTiles(const CurrencyRevenue &m)
{
    const auto money = [&](const QString &amount) { return format::money(amount, m.currency); };
    const auto minor = [&](const QString &amount) {
        const auto value = Money::parse(amount, m.currency);
        return value ? value->minor() : 0;
    };
    const QString net =
        Money::fromMinor(minor(m.received) - minor(m.refunded) - minor(m.chargedBack) - minor(m.tax) - minor(m.fees),
                         m.currency)
            .amount();
    const auto tile = [](const char *key, const QString &title, const QString &value, const QString &note) {
        return Kpi{.key = QString::fromLatin1(key),
                   .title = title,
                   .value = value,
                   .change = {},
                   .before = {},
                   .tone = Tone::Neutral,
                   .note = note,
                   .compared = false};
    };
    return {tile("received", RevenueTab::tr("Cash received"), money(m.received),
                 RevenueTab::tr("%1 after refunds, tax and fees").arg(money(net))),
            tile("recognised", words::title(&CurrencyRevenue::recognised), money(m.recognised),
                 RevenueTab::tr("earned by use and by days passed")),
            tile("deferred", words::title(&CurrencyRevenue::deferred), money(m.deferred),
                 RevenueTab::tr("paid for, still to be given")),
            tile("breakage", words::title(&CurrencyRevenue::breakage), money(m.breakage),
                 RevenueTab::tr("bonus credit that expired unused"))};
}

RevenueTab::RevenueTab(const Ui &ui, PaymentsApi &api, QWidget *parent)
    : MoneyTab(parent)
    , m_ui(ui)
    , m_api(api)
    , m_interval(new ChipGroup(tr("Periods")))
    , m_currency(new ChipGroup(tr("Currency")))
    , m_export(button(tr("Export CSV…"), "exportRevenue"))
    , m_note(label({}, "small"))
    , m_table(new DataTable(ui, tr("Revenue by period")))
{
    for (const RevenueInterval interval : {RevenueInterval::Month, RevenueInterval::Week, RevenueInterval::Day})
        m_interval->add(words::revenueInterval(interval), static_cast<int>(interval), enumName(interval));
    m_note->setObjectName(u"revenueNote");
    m_view = new StateView(ui.theme, content(), Skeleton::Shape::Rows);
    auto *top = plain(new QHBoxLayout, space::l);
    top->addWidget(m_interval);
    top->addWidget(m_currency);
    top->addStretch();
    top->addWidget(m_note);
    top->addWidget(m_export);
    auto *layout = plain(new QVBoxLayout(this), space::gap);
    layout->addLayout(top);
    layout->addWidget(m_view, 1);
    m_export->setEnabled(false);
    connect(m_interval, &ChipGroup::changed, this, &RevenueTab::load);
    connect(m_currency, &ChipGroup::changed, this, &RevenueTab::show);
    connect(m_view, &StateView::retryRequested, this, &RevenueTab::load);
    connect(m_view, &StateView::settled, this, &RevenueTab::settled);
    connect(m_export, &QPushButton::clicked, this, &RevenueTab::exportCsv);
}

QWidget *RevenueTab::content()
{
    auto *content = new QWidget;
    auto *layout = plain(new QVBoxLayout(content), space::gap);
    auto *tiles = plain(new QHBoxLayout, space::gap);
    for (int i = 0; i < tileCount; ++i) {
        m_tiles.append(new KpiTile(m_ui.theme, KpiTile::Size::Leading));
        tiles->addWidget(m_tiles.last(), 1);
    }
    layout->addLayout(tiles);
    m_table->setObjectName(u"revenueTable");
    m_table->setModel(&m_model);
    using C = RevenueModel;
    m_table->setColumn<CellDelegate>(C::Period, 180);
    m_table->setColumn<CellDelegate>(C::Currency, 84);
    for (const int column :
         {C::Received, C::Refunded, C::ChargedBack, C::Tax, C::Fees, C::Recognised, C::Breakage, C::Deferred})
        m_table->setColumn<MoneyDelegate>(column, 108);
    m_table->setColumnHidden(C::Currency, true); // one is shown at a time
    m_table->setStretch(C::Period);
    auto *frame = card("revenueTableCard");
    auto *inside = plain(new QVBoxLayout(frame));
    inside->setContentsMargins(1, space::xs, 1, space::xs);
    inside->addWidget(m_table);
    layout->addWidget(frame, 1);
    return content;
}

bool RevenueTab::isSettled() const
{
    return m_view->isSettled();
}

QString RevenueTab::context() const
{
    return tr("From the ledger alone. Deferred is as of each period's end.");
}

void RevenueTab::open(const QString &)
{
    load();
    Q_EMIT contextChanged();
}

void RevenueTab::load()
{
    const auto interval = static_cast<RevenueInterval>(m_interval->chosen());
    const QDateTime now = m_ui.clock.now();
    m_call.abort();
    m_view->setLoading();
    m_call = m_api.revenue(beginningOf(interval, now), now, interval);
    m_call.then(this, [this](const ApiResult<RevenueReport> &report) {
        if (!report) {
            if (report.error().kind != Problem::Kind::Cancelled)
                m_view->setFailed(report.error());
            return;
        }
        m_report = *report;
        for (const CurrencyRevenue &money : m_report.currencies)
            if (!m_currencies.contains(money.currency)) {
                m_currencies.append(money.currency);
                const QByteArray name = "currency" + money.currency.toLatin1();
                m_currency->add(money.currency, static_cast<int>(m_currencies.size()) - 1, name.constData());
            }
        m_currency->setVisible(m_currencies.size() > 1);
        show();
    });
}

void RevenueTab::show()
{
    m_export->setEnabled(!m_report.currencies.isEmpty());
    if (m_report.currencies.isEmpty())
        return m_view->setEmpty(tr("No money has moved yet"),
                                tr("What customers pay appears here, and when it is earned."));
    const QString currency = m_currencies.value(m_currency->chosen(), m_report.currencies.first().currency);
    const CurrencyRevenue *whole = nullptr;
    for (const CurrencyRevenue &money : m_report.currencies)
        if (money.currency == currency)
            whole = &money;
    const QString nothing = Money::fromMinor(0, currency).amount();
    const QList<Kpi> tiles = revenueTiles(
        whole ? *whole
              : CurrencyRevenue{currency, nothing, nothing, nothing, nothing, nothing, nothing, nothing, nothing});
    for (int i = 0; i < tileCount; ++i)
        m_tiles[i]->show(tiles.at(i));
    m_model.show(m_report, currency, static_cast<RevenueInterval>(m_interval->chosen()));
    m_view->setContent();
}

void RevenueTab::exportCsv()
{
    auto *dialog = new QFileDialog(this, tr("Export revenue"));
    dialog->setObjectName(u"exportDialog");
    dialog->setAcceptMode(QFileDialog::AcceptSave);
    dialog->setDefaultSuffix(QStringLiteral("csv"));
    dialog->selectFile(QStringLiteral("revenue.csv"));
    connect(dialog, &QFileDialog::fileSelected, this, [this](const QString &name) {
        QSaveFile file(name);
        const bool written = file.open(QIODevice::WriteOnly) && file.write(revenueCsv(m_report)) >= 0 && file.commit();
        setLook(m_note, written ? "small" : "problem");
        m_note->setText(written ? tr("Written to %1").arg(name)
                                : tr("%1 cannot be written: %2").arg(name, file.errorString()));
    });
    m_ui.prompts.show(dialog);
}

} // namespace companion::console
