#pragma once

#include "common/models/Page.h"
#include "console/client/ApiExchange.h"

#include <QJsonDocument>

namespace companion::console {

// An object that people edit, with the ETag it was read at.
template <class T>
struct Tagged
{
    T value;
    QByteArray etag;
};

template <class T>
struct AnswerReader
{
    static ApiResult<T> read(const ApiAnswer &answer)
    {
        const QJsonDocument document = QJsonDocument::fromJson(answer.body);
        if (!document.isObject())
            return std::unexpected(Problem::unreadable(QStringLiteral("no JSON object")));
        // A newer server may say more than we know.
        const Result<T> model = fromJson<T>(document.object(), UnknownFields::Ignore);
        if (model)
            return *model;
        const FieldError &first = model.error().errors.first();
        return std::unexpected(Problem::unreadable(first.pointer + u' ' + first.message));
    }
};

template <class T>
struct AnswerReader<Tagged<T>>
{
    static ApiResult<Tagged<T>> read(const ApiAnswer &answer)
    {
        ApiResult<T> value = AnswerReader<T>::read(answer);
        if (!value)
            return std::unexpected(value.error());
        return Tagged<T>{*std::move(value), answer.etag};
    }
};

template <>
struct AnswerReader<ApiAnswer>
{
    static ApiResult<ApiAnswer> read(const ApiAnswer &answer) { return answer; }
};

// A call under way, to be continued with then(). A cheap handle: dropping it does not end the call.
template <class T>
class ApiCall
{
public:
    ApiCall() = default;
    explicit ApiCall(ApiExchange *exchange)
        : m_exchange(exchange)
    {
    }

    // fn(const ApiResult<T> &) runs on the GUI thread, once, and only while context lives.
    template <class Function>
    const ApiCall &then(QObject *context, Function fn) const
    {
        QObject::connect(m_exchange, &ApiExchange::finished, context,
                         [fn = std::move(fn)](const ApiResult<ApiAnswer> &answer) mutable {
                             fn(answer ? AnswerReader<T>::read(*answer)
                                       : ApiResult<T>(std::unexpected(answer.error())));
                         });
        return *this;
    }

    bool isRunning() const { return !m_exchange.isNull(); }
    void abort() const
    {
        if (m_exchange)
            m_exchange->abort();
    }

private:
    QPointer<ApiExchange> m_exchange;
};

} // namespace companion::console
