// Says of each of appleCases() what we make of it, one line of JSON a case after a first line with the root certificate
// and the app. For comparing with the vendor's own library.

#include "fakes/FakeApple.h"
#include "payments/apple/AppleObjects.h"

#include <QCoreApplication>
#include <QJsonDocument>
#include <QTextStream>

using namespace companion;
using namespace Qt::StringLiterals;

int main(int argc, char **argv)
{
    QCoreApplication application(argc, argv);
    test::FakeApple apple([] { return QDateTime::currentDateTimeUtc(); });
    const payments::AppleVerifier verifier(payments::AppleSignatures::withRoots(apple.rootPem()).value(),
                                           {apple.bundleId, apple.appId, payments::AppleEnvironment::Production});
    const auto accepts = [&](const test::AppleCase &one) {
        return one.kind == "notification"_L1 ? verifier.notification(one.jws).has_value()
            : one.kind == "transaction"_L1   ? verifier.transaction(one.jws).has_value()
                                             : verifier.renewal(one.jws).has_value();
    };
    QTextStream out(stdout);
    const auto say = [&](const QJsonObject &line) {
        out << QString::fromUtf8(QJsonDocument(line).toJson(QJsonDocument::Compact)) << Qt::endl;
    };
    say({{u"root"_s, QString::fromLatin1(apple.chain().root().der().toBase64())},
         {u"bundle_id"_s, apple.bundleId},
         {u"app_id"_s, apple.appId}});
    for (const test::AppleCase &one : test::appleCases(apple))
        say({{u"name"_s, one.name},
             {u"kind"_s, one.kind},
             {u"jws"_s, QString::fromLatin1(one.jws)},
             {u"ours"_s, accepts(one)},
             {u"accepted"_s, one.accepted},
             {u"stricter"_s, one.stricter}});
    return 0;
}
