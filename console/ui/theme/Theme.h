#pragma once

#include "console/ui/theme/Tokens.h"

#include <QFont>
#include <QIcon>
#include <QObject>

class QApplication;

namespace companion::console {

enum class ColourScheme { System, Light, Dark };

// The present tokens, and what Qt makes of them: palette, style sheet, fonts, icons tinted by a token.
class Theme : public QObject
{
    Q_OBJECT
public:
    explicit Theme(QObject *parent = nullptr);

    const Tokens &tokens() const { return m_tokens; }
    ColourScheme choice() const { return m_choice; }
    void choose(ColourScheme choice);
    void setSystemIsDark(bool dark);
    bool reducedMotion() const { return m_reducedMotion; }
    void setReducedMotion(bool reduced) { m_reducedMotion = reduced; }

    void apply(QApplication &application);

    // resources/icons/<name>.svg in one colour; disabled in the disabled colour.
    QIcon icon(const QString &name) const { return icon(name, m_tokens.secondary); }
    QIcon icon(const QString &name, const QColor &colour) const;
    QPixmap pixmap(const QString &name, const QColor &colour, int side, qreal ratio) const;

    // A family whose digits are all of one width as it comes.
    static QFont font(int pixels, QFont::Weight weight = QFont::Normal);
    static QFont monospace(int pixels);

Q_SIGNALS:
    void changed();

private:
    void update();

    Tokens m_tokens = Tokens::light();
    ColourScheme m_choice = ColourScheme::System;
    bool m_systemIsDark = false;
    bool m_reducedMotion = false;
    QApplication *m_application = nullptr;
};

QString styleSheetFor(const Tokens &tokens);

} // namespace companion::console
