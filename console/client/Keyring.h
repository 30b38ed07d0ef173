#pragma once

#include "console/client/ApiExchange.h"

#include <functional>

namespace companion::console {

// Where the access key is kept between starts. Callbacks run later on the GUI thread, and only while context lives.
class Keyring
{
public:
    // Why there is no secret. `Missing` is no fault: nothing was kept yet.
    struct Failure
    {
        bool missing = false;
        QString message; // for people
    };
    using Secret = std::expected<QString, Failure>;
    using Done = std::optional<Failure>;

    virtual ~Keyring() = default;
    virtual void read(const QString &name, QObject *context, std::function<void(const Secret &)> then) = 0;
    virtual void write(const QString &name, const QString &secret, QObject *context,
                       std::function<void(const Done &)> then) = 0;
    virtual void remove(const QString &name, QObject *context, std::function<void(const Done &)> then) = 0;
};

// The desktop's own (Secret Service, KWallet) through QtKeychain. Never falls back to a file in plain text.
class SystemKeyring final : public Keyring
{
    Q_DECLARE_TR_FUNCTIONS(SystemKeyring)

public:
    void read(const QString &name, QObject *context, std::function<void(const Secret &)> then) override;
    void write(const QString &name, const QString &secret, QObject *context,
               std::function<void(const Done &)> then) override;
    void remove(const QString &name, QObject *context, std::function<void(const Done &)> then) override;
};

} // namespace companion::console
