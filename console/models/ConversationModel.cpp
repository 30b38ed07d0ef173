#include "console/models/ConversationModel.h"

#include "common/describe/EnumText.h"
#include "console/models/Format.h"

namespace companion::console {

ConversationModel::ConversationModel(PersonaTestApi &api, const Subject &subject, QObject *parent)
    : QAbstractListModel(parent)
    , m_api(api)
    , m_subject(subject)
{
}

int ConversationModel::rowCount(const QModelIndex &parent) const
{
    return parent.isValid() ? 0 : static_cast<int>(m_entries.size());
}

QVariant ConversationModel::data(const QModelIndex &index, int role) const
{
    if (!checkIndex(index, CheckIndexOption::IndexIsValid | CheckIndexOption::ParentIsInvalid))
        return {};
    const Entry &entry = m_entries.at(index.row());
    switch (role) {
    case Qt::DisplayRole:
    case TextRole:
        return entry.text;
    case FromUserRole:
        return entry.fromUser;
    case StateRole:
        return QVariant::fromValue(entry.state);
    case FiguresRole:
        return entry.result ? figuresText(*entry.result) : QString();
    case ProblemRole:
        return entry.problem;
    default:
        return {};
    }
}

void ConversationModel::setSubject(const Subject &subject)
{
    if (subject == m_subject)
        return;
    clear();
    m_subject = subject;
}

void ConversationModel::clear()
{
    stop();
    beginResetModel();
    m_entries.clear();
    endResetModel();
}

// Replies that failed or were cut off are not part of what the model is told.
PersonaTestRequest ConversationModel::request() const
{
    PersonaTestRequest request;
    request.characterId = m_subject.character;
    request.version = m_subject.version;
    request.mode = toText(m_subject.mode);
    for (const Entry &entry : m_entries)
        if (!entry.text.isEmpty() && entry.state != State::Failed && entry.state != State::Streaming)
            request.messages.append(
                {entry.fromUser ? QStringLiteral("user") : QStringLiteral("assistant"), entry.text});
    return request;
}

void ConversationModel::send(const QString &text)
{
    if (isStreaming() || text.trimmed().isEmpty())
        return;
    append({.fromUser = true, .text = text.trimmed()});
    m_stream = m_api.stream(request());
    append({.state = State::Streaming});
    connect(m_stream, &PersonaTestStream::textArrived, this,
            [this](const QString &more) { changeLast([&](Entry &entry) { entry.text += more; }); });
    connect(m_stream, &PersonaTestStream::finished, this, [this](const PersonaTestResult &result) {
        end([&](Entry &entry) {
            entry.state = State::Complete;
            entry.result = result;
        });
    });
    connect(m_stream, &PersonaTestStream::failed, this, [this](const Problem &problem) {
        end([&](Entry &entry) {
            const bool stopped = problem.kind == Problem::Kind::Cancelled;
            entry.state = stopped ? State::Stopped : State::Failed;
            entry.problem = stopped ? tr("Stopped.") : problem.sentence();
        });
    });
    Q_EMIT streamingChanged();
}

void ConversationModel::stop()
{
    if (m_stream)
        m_stream->stop();
}

void ConversationModel::append(const Entry &entry)
{
    beginInsertRows({}, rowCount(), rowCount());
    m_entries.append(entry);
    endInsertRows();
}

void ConversationModel::changeLast(const std::function<void(Entry &)> &change)
{
    change(m_entries.last());
    const QModelIndex last = index(rowCount() - 1);
    Q_EMIT dataChanged(last, last);
}

void ConversationModel::end(const std::function<void(Entry &)> &change)
{
    m_stream.clear();
    changeLast(change);
    Q_EMIT streamingChanged();
}

QString verdictText(const QList<Verdict> &verdicts)
{
    QStringList found;
    for (const Verdict &verdict : verdicts)
        if (verdict.action != QLatin1StringView("allow"))
            found.append(format::words(verdict.action)
                         + (verdict.category.isEmpty() ? QString() : u' ' + format::words(verdict.category).toLower()));
    return found.isEmpty() ? ConversationModel::tr("allowed") : found.join(QStringLiteral(", "));
}

QString figuresText(const PersonaTestResult &result)
{
    QStringList parts{ConversationModel::tr("%1 tokens").arg(format::count(result.totalTokens)),
                      ConversationModel::tr("%1 credits").arg(format::credits(result.price)),
                      ConversationModel::tr("%1 to first token").arg(format::milliseconds(result.firstToken_ms)),
                      ConversationModel::tr("%1 in all").arg(format::milliseconds(result.total_ms)),
                      verdictText(result.verdicts)};
    if (!result.model.isEmpty())
        parts.prepend(result.model);
    return parts.join(QStringLiteral(" · "));
}

QString promptText(const PersonaTestResult &result)
{
    QStringList parts;
    for (const QJsonValue message : result.prompt.value(u"messages").toArray())
        parts.append(message[u"role"].toString().toUpper() + u'\n' + message[u"content"].toString());
    return parts.join(QStringLiteral("\n\n"));
}

} // namespace companion::console
