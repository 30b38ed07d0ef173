#include "console/client/Keyring.h"

#include <qt6keychain/keychain.h>

namespace companion::console {

namespace {

QString keyringService()
{
    return QStringLiteral("companion-console");
}

template <class JobType, class Function>
void runKeyringJob(JobType *job, const QString &name, QObject *context, Function then)
{
    job->setInsecureFallback(false);
    job->setKey(name);
    QObject::connect(job, &QKeychain::Job::finished, context, [job, then = std::move(then)] { then(job); });
    job->start();
}

} // namespace

// Without a session bus QtKeychain says "other error"; without a keyring on the bus "no backend".
static std::optional<Keyring::Failure> failureOf(const QKeychain::Job *job, const QString &noKeyring,
                                                 const QString &denied)
{
    switch (job->error()) {
    case QKeychain::NoError:
        return std::nullopt;
    case QKeychain::EntryNotFound:
        return Keyring::Failure{.missing = true, .message = {}};
    case QKeychain::AccessDenied:
    case QKeychain::AccessDeniedByUser:
        return Keyring::Failure{.missing = false, .message = denied};
    default:
        return Keyring::Failure{.missing = false, .message = noKeyring};
    }
}

static QString noKeyringText()
{
    return QCoreApplication::translate("SystemKeyring",
                                       "This desktop has no keyring, so the access key is not kept: you will be asked "
                                       "for it at the next start. Installing gnome-keyring or KWallet changes that.");
}

static QString deniedText()
{
    return QCoreApplication::translate("SystemKeyring",
                                       "The keyring is locked, so the access key is not kept. Unlock it and sign in "
                                       "again to keep it.");
}

void SystemKeyring::read(const QString &name, QObject *context, std::function<void(const Secret &)> then)
{
    auto *job = new QKeychain::ReadPasswordJob(keyringService());
    runKeyringJob(job, name, context, [then = std::move(then)](QKeychain::ReadPasswordJob *done) {
        const auto failure = failureOf(done, noKeyringText(), deniedText());
        then(failure ? Secret(std::unexpected(*failure)) : Secret(done->textData()));
    });
}

void SystemKeyring::write(const QString &name, const QString &secret, QObject *context,
                          std::function<void(const Done &)> then)
{
    auto *job = new QKeychain::WritePasswordJob(keyringService());
    job->setTextData(secret);
    runKeyringJob(job, name, context, [then = std::move(then)](QKeychain::WritePasswordJob *done) {
        then(failureOf(done, noKeyringText(), deniedText()));
    });
}

void SystemKeyring::remove(const QString &name, QObject *context, std::function<void(const Done &)> then)
{
    auto *job = new QKeychain::DeletePasswordJob(keyringService());
    runKeyringJob(job, name, context, [then = std::move(then)](QKeychain::DeletePasswordJob *done) {
        then(failureOf(done, noKeyringText(), deniedText()));
    });
}

} // namespace companion::console
