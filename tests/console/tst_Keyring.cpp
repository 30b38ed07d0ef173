#include "console/client/Keyring.h"

#include <QProcess>
#include <QStandardPaths>
#include <QTemporaryDir>
#include <QTest>

using namespace companion::console;
using namespace Qt::StringLiterals;

namespace {

const QString name = u"http://127.0.0.1:1"_s;

template <class Result, class Start>
Result await(Start start)
{
    std::optional<Result> result;
    QObject context;
    start(&context, [&](const Result &done) { result = done; });
    return QTest::qWaitFor([&] { return result.has_value(); }, 10'000) ? *result : Result();
}

Keyring::Secret readBack(SystemKeyring &keyring)
{
    std::optional<Keyring::Secret> secret;
    QObject context;
    keyring.read(name, &context, [&](const Keyring::Secret &read) { secret = read; });
    return QTest::qWaitFor([&] { return secret.has_value(); }, 10'000)
        ? *secret
        : Keyring::Secret(std::unexpected(Keyring::Failure{false, u"no answer"_s}));
}

} // namespace

// The real keyring. The tests run this program again inside a private session bus, with and without gnome-keyring.
class KeyringTest : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void initTestCase()
    {
        if (QStandardPaths::findExecutable(u"dbus-run-session"_s).isEmpty())
            QSKIP("dbus-run-session is not installed");
    }

    void a_key_is_kept_read_back_and_forgotten()
    {
        if (QStandardPaths::findExecutable(u"gnome-keyring-daemon"_s).isEmpty())
            QSKIP("gnome-keyring is not installed");
        QCOMPARE(runInside(u"echo secret | gnome-keyring-daemon --unlock --components=secrets >/dev/null 2>&1; "
                           "exec \"$0\" inside_with_a_keyring"_s),
                 0);
    }

    void without_a_keyring_the_failure_says_what_it_means()
    {
        QCOMPARE(runInside(u"exec \"$0\" inside_without_a_keyring"_s), 0);
    }

    void inside_with_a_keyring()
    {
        if (qEnvironmentVariableIsEmpty("COMPANION_TEST_INSIDE"))
            QSKIP("runs inside the session bus of the first test");
        SystemKeyring keyring;
        QVERIFY(readBack(keyring).error().missing);
        const auto kept = await<Keyring::Done>(
            [&](QObject *context, auto then) { keyring.write(name, u"schlüssel-1"_s, context, then); });
        QVERIFY2(!kept, kept ? qPrintable(kept->message) : "");
        QCOMPARE(*readBack(keyring), u"schlüssel-1"_s);
        QVERIFY(!await<Keyring::Done>([&](QObject *context, auto then) { keyring.remove(name, context, then); }));
        QVERIFY(readBack(keyring).error().missing);
    }

    void inside_without_a_keyring()
    {
        if (qEnvironmentVariableIsEmpty("COMPANION_TEST_INSIDE"))
            QSKIP("runs inside the session bus of the second test");
        SystemKeyring keyring;
        const auto kept =
            await<Keyring::Done>([&](QObject *context, auto then) { keyring.write(name, u"key-1"_s, context, then); });
        QVERIFY(kept.has_value());
        QVERIFY(kept->message.contains(u"no keyring"_s));
        QVERIFY(!readBack(keyring).has_value());
    }

private:
    // `script` sees this program as $0, in a home of its own.
    static int runInside(const QString &script)
    {
        QTemporaryDir home;
        QProcess process;
        QProcessEnvironment environment = QProcessEnvironment::systemEnvironment();
        for (const QString &variable : {u"HOME"_s, u"XDG_RUNTIME_DIR"_s, u"XDG_DATA_HOME"_s, u"XDG_CONFIG_HOME"_s})
            environment.insert(variable, home.path());
        environment.insert(u"XDG_DATA_DIRS"_s, home.path()); // no service starts that the script did not start
        environment.insert(u"COMPANION_TEST_INSIDE"_s, u"1"_s);
        process.setProcessEnvironment(environment);
        process.setProcessChannelMode(QProcess::ForwardedChannels);
        process.start(u"dbus-run-session"_s,
                      {u"--"_s, u"sh"_s, u"-c"_s, script, QCoreApplication::applicationFilePath()});
        return process.waitForFinished(60'000) ? process.exitCode() : -1;
    }
};

QTEST_GUILESS_MAIN(KeyringTest)
#include "tst_Keyring.moc"
