// Signs the cases of firebaseCases() and says our verdict on each, one line of JSON a case after a first line with the
// address of the certificates; serves these until its input ends. For comparing with the vendor's Admin SDK.

#include "fakes/FakeFirebase.h"
#include "identity/FirebaseToken.h"

#include <QCoreApplication>
#include <QJsonDocument>
#include <QSocketNotifier>
#include <QTextStream>

#include <unistd.h>

using namespace companion;
using namespace Qt::StringLiterals;

int main(int argc, char **argv)
{
    QCoreApplication application(argc, argv);
    test::FakeFirebase firebase;
    for (const QString &id : {u"key-1"_s, u"key-2"_s, u"hidden"_s})
        firebase.addKey(id);
    firebase.addKey(u"weak"_s, 1024);
    firebase.hide(u"hidden"_s);
    const identity::FirebaseToken verifier(firebase.project(), identity::FirebaseToken::Signed::ByGoogle,
                                           [&](const QString &id) {
                                               return id == u"hidden"_s
                                                   ? std::nullopt
                                                   : jose::JwsKey::fromCertificate(firebase.certificate(id));
                                           });
    const QDateTime now = QDateTime::currentDateTimeUtc();
    QTextStream out(stdout);
    const auto say = [&](const QJsonObject &line) {
        out << QString::fromUtf8(QJsonDocument(line).toJson(QJsonDocument::Compact)) << Qt::endl;
    };
    const auto cases = test::firebaseCases(firebase, now.toSecsSinceEpoch());
    say({{u"url"_s, firebase.url().toString()}, {u"project"_s, firebase.project()}, {u"cases"_s, cases.size()}});
    for (const test::FirebaseCase &one : cases)
        say({{u"name"_s, one.name},
             {u"token"_s, QString::fromLatin1(one.token)},
             {u"ours"_s, verifier.verify(one.token, now).has_value()},
             {u"stricter"_s, one.stricter}});
    QSocketNotifier input(STDIN_FILENO, QSocketNotifier::Read);
    QObject::connect(&input, &QSocketNotifier::activated, &application, [] {
        char ignored[256];
        if (::read(STDIN_FILENO, ignored, sizeof ignored) <= 0)
            QCoreApplication::quit();
    });
    return QCoreApplication::exec();
}
