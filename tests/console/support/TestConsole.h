#pragma once

#include "console/ui/MainWindow.h"

#include <QApplication>
#include <QDialog>
#include <QPointer>
#include <QTemporaryDir>

namespace companion::console {

// A keyring in memory.
class MemoryKeyring final : public Keyring
{
public:
    QHash<QString, QString> secrets;
    QString brokenWith; // says this instead of working

    void read(const QString &name, QObject *context, std::function<void(const Secret &)> then) override
    {
        const Secret secret = !brokenWith.isEmpty() ? Secret(std::unexpected(Failure{false, brokenWith}))
            : secrets.contains(name)                ? Secret(secrets.value(name))
                                                    : Secret(std::unexpected(Failure{true, {}}));
        QMetaObject::invokeMethod(context, [=] { then(secret); }, Qt::QueuedConnection);
    }
    void write(const QString &name, const QString &secret, QObject *context,
               std::function<void(const Done &)> then) override
    {
        if (brokenWith.isEmpty())
            secrets.insert(name, secret);
        finish(context, std::move(then));
    }
    void remove(const QString &name, QObject *context, std::function<void(const Done &)> then) override
    {
        secrets.remove(name);
        finish(context, std::move(then));
    }

private:
    void finish(QObject *context, std::function<void(const Done &)> then) const
    {
        const Done done = brokenWith.isEmpty() ? Done() : Done(Failure{false, brokenWith});
        QMetaObject::invokeMethod(context, [=] { then(done); }, Qt::QueuedConnection);
    }
};

// Keeps the dialog that was to be shown, for the test to look at and answer.
class HeldPrompts final : public Prompts
{
public:
    QPointer<QDialog> dialog;

    void show(QDialog *shown) override
    {
        dialog = shown;
        Prompts::show(shown);
    }
};

class FixedClock final : public Clock
{
public:
    QDateTime at{QDate(2026, 11, 22), QTime(12, 0), Qt::UTC};
    QDateTime now() const override { return at; }
};

// The whole console as main() makes it, with the parts a test wants to hold.
struct TestConsole
{
    QTemporaryDir folder;
    QSettings settings{folder.filePath(QStringLiteral("settings.ini")), QSettings::IniFormat};
    FixedClock clock;
    MemoryKeyring keyring;
    HeldPrompts prompts;
    ApiClient client;
    Session session{client, keyring};
    Theme theme;
    ImageCache images{client};
    MainWindow window{{theme, prompts, images, clock}, client, session, settings};

    TestConsole()
    {
        theme.apply(*qobject_cast<QApplication *>(QCoreApplication::instance()));
        window.show();
    }
    // By objectName, anywhere in the window.
    template <class Widget>
    Widget *find(const char *name) const
    {
        return window.findChild<Widget *>(QString::fromLatin1(name));
    }
    template <class Widget>
    Widget *inDialog(const char *name) const
    {
        return prompts.dialog ? prompts.dialog->findChild<Widget *>(QString::fromLatin1(name)) : nullptr;
    }
};

} // namespace companion::console
