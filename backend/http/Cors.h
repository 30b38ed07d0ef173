#pragma once

#include "http/Message.h"

namespace companion::http {

// Cross-origin rules by an allow list. There are no cookies here, so credentials are never allowed.
class Cors
{
public:
    void allow(const QStringList &origins);
    // Adds what the browser needs to let the page at request's Origin see the answer; to a preflight (OPTIONS with
    // Access-Control-Request-Method) also what it may send, the methods out of the answer's Allow.
    void apply(const Request &request, Headers &answer) const;

private:
    bool allows(const QByteArray &origin) const;
    QList<QByteArray> m_origins;
    bool m_any = false;
};

} // namespace companion::http
