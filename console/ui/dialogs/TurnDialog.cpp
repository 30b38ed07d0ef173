#include "console/ui/dialogs/TurnDialog.h"

#include "console/models/ConversationModel.h"
#include "console/models/Format.h"
#include "console/ui/theme/Theme.h"
#include "console/ui/widgets/Look.h"

#include <QGridLayout>
#include <QPlainTextEdit>

namespace companion::console {

namespace {

QString verdictLine(const Verdict &verdict)
{
    const QStringList parts{format::words(verdict.direction), verdict.action, verdict.category, verdict.rule};
    QStringList said;
    for (const QString &part : parts)
        if (!part.isEmpty())
            said.append(part);
    return said.join(QStringLiteral(" · "));
}

} // namespace

TurnDialog::TurnDialog(const PersonaTestResult &result, QWidget *parent)
    : QDialog(parent)
{
    setObjectName(u"turnDialog");
    setWindowTitle(tr("The whole turn"));
    resize(720, 640);
    auto *figures = plain(new QGridLayout, space::xs);
    figures->setHorizontalSpacing(space::l);
    figures->setColumnStretch(1, 1);
    const auto add = [&](const QString &name, const QString &value) {
        figures->addWidget(label(name, "quiet"), figures->rowCount(), 0, Qt::AlignTop);
        figures->addWidget(label(value), figures->rowCount() - 1, 1);
    };
    add(tr("Model"), result.model);
    add(tr("Tokens"),
        tr("%1 prompt + %2 reply = %3").arg(result.promptTokens).arg(result.completionTokens).arg(result.totalTokens));
    add(tr("Price to a user"), tr("%1 credits before any discount").arg(format::credits(result.price)));
    add(tr("Cost"), format::usd(result.costUsd, 6));
    add(tr("Time"),
        tr("%1 to the first token, %2 in all")
            .arg(format::milliseconds(result.firstToken_ms), format::milliseconds(result.total_ms)));
    QStringList verdicts;
    for (const Verdict &verdict : result.verdicts)
        verdicts.append(verdictLine(verdict));
    add(tr("Verdicts"), verdicts.isEmpty() ? tr("none") : verdicts.join(u'\n'));

    auto *prompt = new QPlainTextEdit(promptText(result));
    prompt->setObjectName(u"exactPrompt");
    prompt->setAccessibleName(tr("The exact prompt"));
    prompt->setReadOnly(true);
    prompt->setFont(Theme::monospace(type::small));
    auto *close = button(tr("Close"), "close");
    connect(close, &QPushButton::clicked, this, &QDialog::accept);
    auto *layout = new QVBoxLayout(this);
    layout->setContentsMargins(space::xl, space::xl, space::xl, space::l);
    layout->setSpacing(space::m);
    layout->addWidget(label(tr("The whole turn"), "section"));
    layout->addLayout(figures);
    layout->addWidget(label(tr("The exact prompt"), "field"));
    layout->addWidget(prompt, 1);
    auto *foot = plain(new QHBoxLayout);
    foot->addStretch();
    foot->addWidget(close);
    layout->addLayout(foot);
}

} // namespace companion::console
