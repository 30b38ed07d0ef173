#pragma once

#include "common/Result.h"

#include <QByteArray>
#include <QStringList>
#include <QUrlQuery>

namespace companion::http {

// The decoded form of a request target in origin form ("/a/b%20c?x=1"), which HeadParser has already found to be made
// of allowed characters. Refused as malformed_request: broken percent-encoding, what is not UTF-8, control characters
// (%00, %0d …), and segments "." and "..".
struct Target
{
    QStringList segments; // "/" is {""}; an encoded slash stays inside its segment
    QUrlQuery query;      // '+' is a space

    QString path() const { return u'/' + segments.join(u'/'); }
    static Result<Target> parse(const QByteArray &target);
};

} // namespace companion::http
