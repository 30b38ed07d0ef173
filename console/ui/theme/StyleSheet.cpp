#include "console/ui/theme/Theme.h"

#include <QRegularExpression>

namespace companion::console {

namespace {

// $name stands for a token. Widgets take a look by the property "look"; see setLook().
constexpr auto source = R"(
QToolTip { background: $raised; color: $text; border: 1px solid $strongBorder; padding: 4px 6px; font-size: 12px; }

QLabel[look="page-title"] { font-size: 22px; font-weight: 600; }
QLabel[look="section"] { font-size: 16px; font-weight: 600; }
QLabel[look="figure"] { font-size: 28px; }
QLabel[look="figure-small"] { font-size: 16px; }
QLabel[look="quiet"] { color: $secondary; }
QLabel[look="small"] { color: $secondary; font-size: 12px; }
QLabel[look="strong"] { font-weight: 600; }
QLabel[look="problem"] { color: $danger; font-size: 12px; }
QLabel[look="field"] { color: $secondary; font-size: 12px; }

QFrame[look="card"] { background: $surface; border: 1px solid $border; border-radius: 10px; }
QFrame[look="rail"] { background: $surface; border: none; border-right: 1px solid $border; }
QFrame[look="foot"] { border: none; border-top: 1px solid $border; }
QFrame[look="hairline"] { background: $border; border: none; max-height: 1px; min-height: 1px; }
QFrame[look="notice"] { background: $surface; border: 1px solid $strongBorder; border-radius: 6px; }
QFrame[look="bubble"] { background: $surface; border: 1px solid $border; border-radius: 10px; }
QFrame[look="bubble-user"] { background: $selection; border: 1px solid transparent; border-radius: 10px; }

QPushButton { background: $surface; color: $text; border: 1px solid $strongBorder; border-radius: 6px; padding: 0 12px;
    min-height: 28px; }
QPushButton:hover { background: $window; }
QPushButton:pressed { background: $border; }
QPushButton:focus { border: 2px solid $accent; padding: 0 11px; min-height: 26px; }
QPushButton:disabled { color: $disabled; border-color: $border; }
QPushButton[look="primary"] { background: $accent; color: $onAccent; border-color: $accent; font-weight: 600; }
QPushButton[look="primary"]:hover { background: $accentHover; }
QPushButton[look="primary"]:focus { border: 2px solid $text; }
QPushButton[look="primary"]:disabled { background: $border; color: $disabled; border-color: $border; }
QPushButton[look="danger"] { background: $danger; color: $onAccent; border-color: $danger; font-weight: 600; }
QPushButton[look="danger"]:focus { border: 2px solid $text; }
QPushButton[look="danger"]:disabled { background: $border; color: $disabled; border-color: $border; }
QPushButton[look="chip"] { border-radius: 14px; min-height: 26px; padding: 0 12px; background: transparent;
    border: 1px solid $border; color: $secondary; }
QPushButton[look="chip"]:hover { border-color: $strongBorder; color: $text; }
QPushButton[look="chip"]:checked { background: $selection; border-color: $accent; color: $text; }
QPushButton[look="chip"]:focus { border: 2px solid $accent; padding: 0 11px; min-height: 24px; }
QPushButton[look="tab"] { background: transparent; border: none; border-bottom: 2px solid transparent; border-radius: 0;
    color: $secondary; padding: 0 4px; margin-right: 12px; min-height: 32px; }
QPushButton[look="tab"]:hover { color: $text; }
QPushButton[look="tab"]:checked { color: $text; border-bottom-color: $accent; }
QPushButton[look="tab"]:disabled { color: $disabled; }
QPushButton[look="tab"]:focus { border: 2px solid $accent; border-radius: 6px; padding: 0 2px; min-height: 30px; }
QPushButton[look="filter"] { border-radius: 14px; min-height: 26px; padding: 0 10px; background: transparent;
    border: 1px solid $border; color: $secondary; }
QPushButton[look="filter"]:hover { border-color: $strongBorder; color: $text; }
QPushButton[look="filter"][filtering="true"] { background: $selection; border-color: $accent; color: $text; }
QPushButton[look="filter"]:focus { border: 2px solid $accent; padding: 0 9px; min-height: 24px; }
QPushButton[look="link"] { background: transparent; border: none; color: $secondary; padding: 0 4px; text-align: left;
    font-size: 12px; min-height: 20px; }
QPushButton[look="link"]:hover { color: $accent; }
QPushButton[look="link"]:focus { color: $accent; text-decoration: underline; }
QPushButton#paymentUser, QPushButton#subscriptionUser { color: $accent; padding: 0; }
QPushButton[look="search"] { text-align: left; color: $secondary; background: $window; border-color: $border; }
QPushButton::menu-indicator { image: none; width: 0; }

QPushButton#send, QPushButton#stop { min-height: 34px; min-width: 48px; }
QPushButton#send:focus, QPushButton#stop:focus { min-height: 32px; }

QToolButton { background: transparent; border: 1px solid transparent; border-radius: 6px; padding: 4px; }
QToolButton:hover { background: $hover; }
QToolButton:focus { border: 2px solid $accent; padding: 3px; }
QToolButton::menu-indicator { image: none; }
QToolButton[look="rail"] { color: $secondary; text-align: left; padding: 0 9px; min-height: 34px; }
QToolButton[look="rail"]:hover { color: $text; }
QToolButton[look="rail"]:checked { background: $selection; color: $text; font-weight: 600; }
QToolButton[look="rail"]:focus { border: 2px solid $accent; padding: 0 8px; min-height: 32px; }

QLineEdit, QPlainTextEdit, QComboBox, QDateEdit { background: $surface; color: $text; border: 1px solid $strongBorder;
    border-radius: 6px; selection-background-color: $accent; selection-color: $onAccent; }
QLineEdit, QComboBox, QDateEdit { padding: 0 8px; min-height: 30px; }
QDateEdit QLineEdit { border: none; padding: 0; min-height: 24px; background: transparent; }
QPlainTextEdit { padding: 4px; }
QLineEdit:focus, QComboBox:focus, QDateEdit:focus { border: 2px solid $accent; padding: 0 7px; min-height: 28px; }
QPlainTextEdit:focus { border: 2px solid $accent; padding: 3px; }
QLineEdit:disabled, QPlainTextEdit:disabled, QComboBox:disabled { color: $disabled; background: $window; }
QLineEdit[wrong="true"], QPlainTextEdit[wrong="true"] { border-color: $danger; }
QComboBox::drop-down, QDateEdit::drop-down { border: none; width: 24px; }
QComboBox::down-arrow, QDateEdit::down-arrow { image: url($chevron); width: 14px; height: 14px; }
QComboBox QAbstractItemView { background: $raised; border: 1px solid $strongBorder; outline: none; padding: 4px;
    selection-background-color: $selection; selection-color: $text; }
QCheckBox { spacing: 8px; }
QCheckBox::indicator { width: 14px; height: 14px; border: 1px solid $strongBorder; border-radius: 4px;
    background: $surface; }
QCheckBox::indicator:hover { border-color: $accent; }
QCheckBox::indicator:checked { background: $accent; border-color: $accent; image: url($check); }

QCheckBox:focus { color: $accent; }

QTableView { background: $surface; border: none; outline: none; selection-background-color: transparent; }
QHeaderView { background: $surface; border: none; }
QHeaderView::section { background: $surface; color: $secondary; border: none; border-bottom: 1px solid $border;
    padding: 0 12px; font-size: 12px; }
QTableCornerButton::section { background: $surface; border: none; }
QListView { background: transparent; border: none; outline: none; }
QListView::item { min-height: 32px; padding: 0 8px; border-radius: 6px; color: $text; }
QListView::item:hover { background: $hover; }
QListView::item:selected { background: $selection; color: $text; }

QMenu { background: $raised; border: 1px solid $strongBorder; padding: 4px; }
QMenu::item { padding: 6px 24px 6px 12px; border-radius: 4px; }
QMenu::item:selected { background: $selection; color: $text; }
QMenu::item:disabled { color: $disabled; }
QMenu::separator { height: 1px; background: $border; margin: 4px 8px; }

QScrollArea, QScrollArea > QWidget > QWidget[look="scrolled"] { background: transparent; border: none; }
QScrollBar:vertical { background: transparent; width: 10px; margin: 2px; }
QScrollBar:horizontal { background: transparent; height: 10px; margin: 2px; }
QScrollBar::handle { background: $strongBorder; border-radius: 3px; min-height: 32px; min-width: 32px; }
QScrollBar::handle:hover { background: $disabled; }
QScrollBar::add-line, QScrollBar::sub-line { height: 0; width: 0; }
QScrollBar::add-page, QScrollBar::sub-page { background: transparent; }
QAbstractScrollArea::corner { background: transparent; border: none; }
QSplitter::handle { background: transparent; }
QDialog { background: $raised; }
)";

QColor blended(const QColor &over, const QColor &under, double share)
{
    const auto mix = [share](int a, int b) { return static_cast<int>(a * share + b * (1 - share) + 0.5); };
    return QColor(mix(over.red(), under.red()), mix(over.green(), under.green()), mix(over.blue(), under.blue()));
}

QHash<QString, QString> names(const Tokens &t)
{
    return {{QStringLiteral("window"), t.window.name()},
            {QStringLiteral("surface"), t.surface.name()},
            {QStringLiteral("raised"), t.raised.name()},
            {QStringLiteral("border"), t.border.name()},
            {QStringLiteral("strongBorder"), t.strongBorder.name()},
            {QStringLiteral("text"), t.text.name()},
            {QStringLiteral("secondary"), t.secondary.name()},
            {QStringLiteral("disabled"), t.disabled.name()},
            {QStringLiteral("accent"), t.accent.name()},
            {QStringLiteral("accentHover"), blended(t.accent, t.text, 0.88).name()},
            {QStringLiteral("onAccent"), t.onAccent.name()},
            {QStringLiteral("danger"), t.danger.name()},
            {QStringLiteral("selection"), blended(t.accent, t.surface, 0.12).name()},
            {QStringLiteral("hover"), blended(t.text, t.surface, t.dark ? 0.06 : 0.04).name()},
            {QStringLiteral("check"),
             t.dark ? QStringLiteral(":/icons/check-dark.svg") : QStringLiteral(":/icons/check-light.svg")},
            {QStringLiteral("chevron"),
             t.dark ? QStringLiteral(":/icons/chevron-down-dark.svg")
                    : QStringLiteral(":/icons/chevron-down-light.svg")}};
}

} // namespace

QString styleSheetFor(const Tokens &tokens)
{
    const QHash<QString, QString> values = names(tokens);
    static const QRegularExpression reference(QStringLiteral("\\$(\\w+)"));
    const QString text = QString::fromLatin1(source);
    QString sheet;
    qsizetype copied = 0;
    for (auto matches = reference.globalMatch(text); matches.hasNext();) {
        const QRegularExpressionMatch match = matches.next();
        sheet += text.mid(copied, match.capturedStart() - copied) + values.value(match.captured(1));
        copied = match.capturedEnd();
    }
    return sheet + text.mid(copied);
}

} // namespace companion::console
