// stripe-verify: what we make of a webhook's header, for comparison with the vendor's SDK. One JSON object a line in,
// {header, body (base64), secrets, now} → "good", "forged" or "stale"; {secret, body, time} → the header we would
// write.

#include "payments/stripe/StripeSignature.h"

#include <QJsonArray>
#include <QJsonDocument>
#include <QJsonObject>

#include <cstdio>
#include <iostream>
#include <string>

using namespace companion::payments::stripe;
using namespace Qt::StringLiterals;

int main()
{
    std::string line;
    while (std::getline(std::cin, line)) {
        const QJsonObject object = QJsonDocument::fromJson(QByteArray::fromStdString(line)).object();
        const QByteArray body = QByteArray::fromBase64(object[u"body"_s].toString().toLatin1());
        if (object.contains(u"secret"_s)) {
            const QByteArray made =
                signatureOf(object[u"secret"_s].toString().toUtf8(), body, object[u"time"_s].toInteger());
            std::puts(made.constData());
        } else {
            QByteArrayList secrets;
            for (const auto &secret : object[u"secrets"_s].toArray())
                secrets.append(secret.toString().toUtf8());
            const auto checked = checkSignature(object[u"header"_s].toString().toUtf8(), body, secrets,
                                                QDateTime::fromSecsSinceEpoch(object[u"now"_s].toInteger(), Qt::UTC));
            std::puts(checked ? "good" : qPrintable(checked.error().log.section(u':', 0, 0)));
        }
        std::fflush(stdout);
    }
}
