#pragma once

#include "common/Ids.h"

#include <QDateTime>
#include <QJsonObject>

#include <optional>

namespace companion::payments {

// The Google Play Developer API's resources, of each what we use. Times are UTC, null where they are not told.

// purchases.products
struct GoogleSale
{
    enum class State { Purchased, Canceled, Pending };

    State state = State::Purchased;
    QString order; // may be empty: a promotion
    QDateTime purchasedAt;
    int quantity = 1;
    std::optional<UserId> user; // obfuscatedExternalAccountId, where it is a user's id of ours
    bool isTest = false;
    bool isSettled = false; // consumed

    static std::optional<GoogleSale> from(const QJsonObject &object);
};

// purchases.subscriptionsv2
struct GoogleSubscription
{
    enum class State { Pending, Active, Paused, InGrace, OnHold, Canceled, Expired };

    State state = State::Pending;
    QString product;
    QString order; // the newest that succeeded
    QDateTime startedAt;
    QDateTime expiresAt;
    bool renews = false;
    QString next; // product from the period's end on
    QString linkedToken; // whose place it took
    std::optional<UserId> user;
    bool isTest = false;
    bool isSettled = false; // acknowledged

    static std::optional<GoogleSubscription> from(const QJsonObject &object);
};

// orders: one charge, with what became of it.
struct GoogleOrder
{
    QString id;
    QString product;
    QString token;
    bool isPaid = false;
    QDateTime at;
    qint64 total_minor = 0;
    qint64 tax_minor = 0;
    std::optional<qint64> fee_minor; // what Google keeps; told only while nothing was refunded
    qint64 refunded_minor = 0;
    QString currency;
    int quantity = 1;
    bool isSubscription = false;
    bool isTrial = false;
    QDateTime periodStart;
    QDateTime periodEnd;

    static std::optional<GoogleOrder> from(const QJsonObject &object);
};

} // namespace companion::payments
