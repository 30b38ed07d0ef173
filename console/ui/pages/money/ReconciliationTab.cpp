#include "console/ui/pages/money/ReconciliationTab.h"

#include "console/models/Format.h"
#include "console/models/MoneyWords.h"
#include "console/models/Words.h"
#include "console/ui/dialogs/ReasonDialog.h"
#include "console/ui/dialogs/ReconcileDialog.h"
#include "console/ui/widgets/CellDelegate.h"
#include "console/ui/widgets/Facts.h"
#include "console/ui/widgets/FilterChip.h"
#include "console/ui/widgets/Look.h"

namespace companion::console {

namespace {

constexpr int runsHeight = 213;

} // namespace

ReconciliationTab::ReconciliationTab(const Ui &ui, PaymentsApi &api, QWidget *parent)
    : MoneyTab(parent)
    , m_ui(ui)
    , m_api(api)
    , m_list(new MoneyList(ui, "differencesTable", tr("Differences"),
                           {tr("Everything agrees"),
                            tr("Each day is compared with each provider; what differs and did not heal by itself "
                               "appears here."),
                            tr("No difference matches"), tr("Take a filter away.")}))
    , m_state(new FilterChip(ui.theme, tr("Resolved"), "differenceStateFilter"))
    , m_provider(new FilterChip(ui.theme, tr("Provider"), "differenceProviderFilter"))
    , m_kind(new FilterChip(ui.theme, tr("Difference"), "differenceKindFilter"))
    , m_compare(button(tr("Compare a day…"), "compareDay", "primary"))
    , m_kindTitle(label({}, "section"))
    , m_facts(new Facts(ui))
    , m_note(label({}, "small"))
    , m_payment(button(tr("Open payment"), "differencePayment"))
    , m_apply(button(tr("Apply again"), "applyWebhook"))
    , m_resolve(button(tr("Resolve…"), "resolveDifference", "primary"))
{
    addFilters();
    auto *table = m_list->table();
    table->setModel(&m_model);
    using C = DifferencesModel;
    table->setColumn<TimeDelegate>(C::Found, 108);
    table->setColumn<CellDelegate>(C::ProviderName, 104);
    table->setColumn<CellDelegate>(C::Day, 104);
    table->setColumn<CellDelegate>(C::Kind, 176);
    table->setColumn<CellDelegate>(C::Ours, 200);
    table->setColumn<CellDelegate>(C::Theirs, 200);
    table->setColumn<StatusDelegate>(C::State, 136);
    table->setStretch(C::Theirs);
    m_list->follow(m_model.news(), [this] { return m_search.provider || m_search.kind; });
    m_list->setPane(pane(), {C::Day, C::Ours, C::Theirs});
    auto *layout = plain(new QVBoxLayout(this), space::gap);
    layout->addWidget(m_list, 1);
    layout->addWidget(runsCard());
    connect(&m_model.news(), &ListNews::loaded, this, &ReconciliationTab::contextChanged);
    connect(m_list, &MoneyList::retryRequested, this, &ReconciliationTab::search);
    connect(m_list, &MoneyList::settled, this, &ReconciliationTab::settled);
    connect(m_list, &MoneyList::opened, this, [this](const QModelIndex &index) {
        if (const ReconciliationDifference *difference = m_model.row(index))
            showDifference(*difference);
    });
    connect(m_runsView, &StateView::settled, this, &ReconciliationTab::settled);
    connect(m_runsView, &StateView::retryRequested, this, &ReconciliationTab::loadRuns);
    connect(m_compare, &QPushButton::clicked, this, &ReconciliationTab::compare);
    connect(m_resolve, &QPushButton::clicked, this, &ReconciliationTab::resolve);
    connect(m_apply, &QPushButton::clicked, this, &ReconciliationTab::applyAgain);
    connect(m_payment, &QPushButton::clicked, this, [this] {
        if (m_shown && m_shown->paymentId)
            Q_EMIT paymentWanted(*m_shown->paymentId);
    });
}

void ReconciliationTab::addFilters()
{
    m_state->addOption(tr("shown too"), true);
    for (const auto &[provider, name] : EnumNames<Provider>::values)
        m_provider->addOption(words::provider(provider), static_cast<int>(provider));
    for (const auto &[kind, name] : EnumNames<DifferenceKind>::values)
        m_kind->addOption(words::differenceKind(kind), static_cast<int>(kind));
    for (FilterChip *chip : {m_state, m_provider, m_kind}) {
        m_list->addFilter(chip);
        connect(chip, &FilterChip::changed, this, &ReconciliationTab::search);
    }
    m_list->addAction(m_compare);
}

QWidget *ReconciliationTab::runsCard()
{
    m_runsTable = new DataTable(m_ui, tr("Last comparisons"));
    m_runsTable->setObjectName(u"runsTable");
    m_runsTable->setModel(&m_runs);
    m_runsTable->setCompact();
    using C = RunsModel;
    m_runsTable->setColumn<CellDelegate>(C::Day, 120);
    m_runsTable->setColumn<CellDelegate>(C::ProviderName, 140);
    m_runsTable->setColumn<StatusDelegate>(C::Outcome, 160);
    for (const int column : {C::Theirs, C::Ours, C::Healed})
        m_runsTable->setColumn<MoneyDelegate>(column, 90);
    m_runsTable->setColumn<TimeDelegate>(C::Run, 120);
    m_runsTable->setStretch(C::Outcome);
    m_runsView = new StateView(m_ui.theme, m_runsTable, Skeleton::Shape::Rows);
    auto *frame = card("runsCard");
    frame->setFixedHeight(runsHeight);
    auto *layout = plain(new QVBoxLayout(frame), space::xs);
    layout->setContentsMargins(1, space::m, 1, space::xs);
    auto *title = label(tr("Last comparisons"), "section");
    title->setContentsMargins(space::m, 0, 0, 0);
    layout->addWidget(title);
    layout->addWidget(m_runsView, 1);
    return frame;
}

QWidget *ReconciliationTab::pane()
{
    auto *frame = card("differencePane");
    m_note->setObjectName(u"differenceNote");
    m_note->setWordWrap(true);
    auto *close = button({}, "closeDifference", "");
    close->setAccessibleName(tr("Close"));
    close->setToolTip(tr("Close (Esc)"));
    close->setFixedWidth(size::control);
    close->setIcon(m_ui.theme.icon(QStringLiteral("close")));
    connect(&m_ui.theme, &Theme::changed, close,
            [=, this] { close->setIcon(m_ui.theme.icon(QStringLiteral("close"))); });
    connect(close, &QPushButton::clicked, m_list, &MoneyList::hidePane);
    auto *layout = new QVBoxLayout(frame);
    layout->setContentsMargins(space::card, space::m, space::m, space::card);
    layout->setSpacing(space::m);
    auto *head = plain(new QHBoxLayout, space::s);
    head->addWidget(m_kindTitle, 1);
    head->addWidget(close);
    layout->addLayout(head);
    layout->addWidget(m_facts);
    layout->addWidget(m_note);
    layout->addStretch();
    auto *actions = plain(new QHBoxLayout, space::s);
    actions->addWidget(m_payment);
    actions->addStretch();
    actions->addWidget(m_apply);
    actions->addWidget(m_resolve);
    layout->addLayout(actions);
    return frame;
}

bool ReconciliationTab::isSettled() const
{
    return m_list->view()->isSettled() && m_runsView->isSettled();
}

QString ReconciliationTab::context() const
{
    qint64 open = 0;
    for (const ReconciliationDifference &difference : m_model.rows())
        open += difference.resolvedAt ? 0 : 1;
    if (open == 0)
        return tr("Every day is compared with each provider");
    return open == 1 ? tr("1 difference needs attention")
                     : tr("%1 differences need attention").arg(format::count(open));
}

void ReconciliationTab::open(const QString &)
{
    m_list->hidePane();
    search();
    loadRuns();
}

void ReconciliationTab::search()
{
    m_search = {m_state->isSet(), m_provider->chosen<Provider>(), m_kind->chosen<DifferenceKind>()};
    m_model.load([this, search = m_search](int limit, const std::optional<QString> &cursor) {
        return m_api.differences(search, {limit, cursor});
    });
}

void ReconciliationTab::loadRuns()
{
    m_runsView->setLoading();
    m_api.runs().then(this, [this](const ApiResult<RunList> &list) {
        if (!list)
            return m_runsView->setFailed(list.error());
        m_runs.setRows(list->runs);
        if (list->runs.isEmpty())
            m_runsView->setEmpty(tr("Nothing was compared yet"),
                                 tr("Yesterday is compared within ten minutes of the start."));
        else
            m_runsView->setContent();
    });
}

void ReconciliationTab::showDifference(const ReconciliationDifference &difference)
{
    m_shown = difference;
    m_kindTitle->setText(words::differenceKind(difference.kind));
    m_facts->clear();
    m_facts->add(tr("State"), words::differenceState(difference));
    m_facts->add(words::title(&ReconciliationDifference::provider), words::provider(difference.provider));
    m_facts->add(words::title(&ReconciliationDifference::day), difference.day);
    m_facts->add(words::title(&ReconciliationDifference::foundAt), difference.foundAt);
    const bool isEvent = difference.kind == DifferenceKind::UnusableEvent;
    m_facts->add(isEvent ? tr("Why") : words::title(&ReconciliationDifference::ours), difference.ours);
    m_facts->add(isEvent ? tr("Event") : words::title(&ReconciliationDifference::theirs), difference.theirs);
    if (difference.resolvedAt)
        m_facts->add(words::title(&ReconciliationDifference::resolvedAt), *difference.resolvedAt);
    m_facts->addId(words::title(&ReconciliationDifference::reference), difference.reference,
                   tr("Copy %1").arg(difference.reference));
    say(difference.note.value_or(QString()), false);
    m_payment->setEnabled(difference.paymentId.has_value());
    m_payment->setToolTip(difference.paymentId ? QString() : tr("No payment of ours belongs to it."));
    m_apply->setVisible(isEvent && !difference.resolvedAt);
    m_resolve->setEnabled(!difference.resolvedAt);
    m_resolve->setToolTip(difference.resolvedAt ? tr("It is resolved already.") : QString());
    m_list->showPane();
}

void ReconciliationTab::say(const QString &words, bool wrong)
{
    setLook(m_note, wrong ? "problem" : "small");
    m_note->setText(words);
    m_note->setVisible(!words.isEmpty());
}

void ReconciliationTab::compare()
{
    auto *dialog = new ReconcileDialog(m_api, m_ui.clock.now().toUTC().date(), this);
    connect(dialog, &QDialog::accepted, this, [this] {
        search();
        loadRuns();
    });
    m_ui.prompts.show(dialog);
}

void ReconciliationTab::resolve()
{
    if (!m_shown)
        return;
    auto *dialog = new ReasonDialog(tr("Resolve difference"),
                                    tr("It leaves the list of what needs attention. Nothing in the books changes."),
                                    tr("Resolve"), this);
    connect(dialog, &QDialog::accepted, this, [this, dialog, id = m_shown->id] {
        m_api.resolve(id, dialog->reason()).then(this, [this](const ApiResult<ReconciliationDifference> &done) {
            if (!done)
                return say(tr("It was not resolved. %1").arg(done.error().sentence()), true);
            m_list->hidePane();
            search();
        });
    });
    m_ui.prompts.show(dialog);
}

// After what stood in its way was put right: a product's name at the provider, say.
void ReconciliationTab::applyAgain()
{
    if (!m_shown)
        return;
    m_apply->setEnabled(false);
    const auto failed = [this](const Problem &problem) {
        m_apply->setEnabled(true);
        say(tr("It was not applied. %1").arg(problem.sentence()), true);
    };
    m_api.webhook(m_shown->provider, m_shown->reference)
        .then(this, [=, this](const ApiResult<Page<AdminWebhook>> &found) {
            if (!found)
                return failed(found.error());
            if (found->items.isEmpty()) {
                m_apply->setEnabled(true);
                return say(tr("The webhook is not kept any more."), true);
            }
            m_api.applyWebhook(found->items.first().id).then(this, [=, this](const ApiResult<AdminWebhook> &done) {
                if (!done)
                    return failed(done.error());
                m_apply->setEnabled(true);
                if (done->status != QLatin1StringView("processed"))
                    return say(tr("It still cannot be applied: %1").arg(done->reason.value_or(done->status)), true);
                m_list->hidePane();
                search();
            });
        });
}

} // namespace companion::console
