#pragma once

#include <QString>

namespace companion::console {

// Where in the console somebody is, as one line of text: "dashboard", "characters/aria", "users/anna@example.com".
struct Place
{
    QString page;
    QString detail; // what is open on the page; empty for the page itself

    static Place parse(const QString &text)
    {
        const qsizetype slash = text.indexOf(u'/');
        return slash < 0 ? Place{text, {}} : Place{text.left(slash), text.mid(slash + 1)};
    }
    QString toString() const { return detail.isEmpty() ? page : page + u'/' + detail; }
    bool operator==(const Place &) const = default;
};

} // namespace companion::console
