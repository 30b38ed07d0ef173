#pragma once

#include "common/Result.h"

#include <QCoreApplication>
#include <QUrl>

namespace companion::console {

// Why a call did not bring what was asked: no answer at all, a refusal (problem+json), or an answer we cannot read.
struct Problem
{
    Q_DECLARE_TR_FUNCTIONS(Problem)

public:
    enum class Kind { Unreachable, Cancelled, Refused, Unreadable };

    Kind kind = Kind::Refused;
    int status = 0; // HTTP; 0 when there was no answer
    QString code = {}; // docs/errors.md
    QString detail = {}; // public words of the server, or what the network said
    QString requestId = {};
    QList<FieldError> errors = {};
    std::optional<int> retryAfter_s = {};

    bool operator==(const Problem &) const = default;
    bool is(ErrorCode wanted) const;
    // What happened and what to do, in one or two short sentences.
    QString sentence() const;
    // The message for one field of the request body, by JSON Pointer ("/persona/name"); empty when it is fine.
    QString forField(const QString &pointer) const;

    static Problem unreachable(const QUrl &server, const QString &why);
    static Problem cancelled();
    static Problem unreadable(const QString &why);
    // From a status and a body that may or may not be problem+json.
    static Problem fromAnswer(int status, const QByteArray &body);
};

} // namespace companion::console
