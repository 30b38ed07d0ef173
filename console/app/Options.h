#pragma once

#include "console/models/Place.h"
#include "console/ui/theme/Theme.h"

#include <QSize>
#include <QUrl>
#include <expected>

namespace companion::console {

struct Options
{
    QUrl server;    // empty: the one of last time
    QString keyFile;
    Place place{QStringLiteral("dashboard"), {}};
    std::optional<ColourScheme> scheme;
    QSize size;
    QString screenshot; // a PNG to write; then the program ends
    QString say;        // for the persona test: what is said first, in both modes side by side

    // Or what is wrong with them, as a sentence. Answers --help and --version itself.
    static std::expected<Options, QString> parse(const QStringList &arguments);
};

} // namespace companion::console
