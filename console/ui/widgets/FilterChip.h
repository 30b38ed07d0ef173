#pragma once

#include "console/ui/theme/Theme.h"

#include <QActionGroup>
#include <QPushButton>
#include <QVariant>

class QMenu;

namespace companion::console {

// One filter of a list: "Status" while it filters nothing, "Status: Paid" when it does. A menu offers the choices.
class FilterChip : public QPushButton
{
    Q_OBJECT
public:
    FilterChip(Theme &theme, const QString &title, const char *name, QWidget *parent = nullptr);
    void addOption(const QString &text, const QVariant &value);
    QVariant value() const; // invalid: any
    bool isSet() const { return value().isValid(); }
    void choose(const QVariant &value); // as a click would; invalid: any

    template <class E>
    std::optional<E> chosen() const
    {
        return isSet() ? std::optional(static_cast<E>(value().toInt())) : std::nullopt;
    }

Q_SIGNALS:
    void changed();

private:
    void add(const QString &text, const QVariant &value);
    void tell();

    Theme &m_theme;
    QString m_title;
    QMenu *m_menu;
    QActionGroup m_options{this};
};

} // namespace companion::console
