#include "console/models/Words.h"

#include "common/describe/EnumText.h"
#include "console/models/Format.h"

#include <QCoreApplication>

namespace companion::console::words {

namespace {

QString word(const char *text)
{
    return QCoreApplication::translate("Words", text);
}

} // namespace

QString tier(Tier tier)
{
    switch (tier) {
    case Tier::Free:
        return word(QT_TRANSLATE_NOOP("Words", "Free"));
    case Tier::Premium:
        return word(QT_TRANSLATE_NOOP("Words", "Premium"));
    case Tier::Vip:
        return word(QT_TRANSLATE_NOOP("Words", "VIP"));
    }
    return {};
}

QString bucket(Bucket bucket)
{
    switch (bucket) {
    case Bucket::DailyFree:
        return word(QT_TRANSLATE_NOOP("Words", "Daily free"));
    case Bucket::Purchased:
        return word(QT_TRANSLATE_NOOP("Words", "Purchased"));
    case Bucket::Bonus:
        return word(QT_TRANSLATE_NOOP("Words", "Bonus"));
    }
    return {};
}

QString kind(TransactionKind kind)
{
    static constexpr std::array names{
        std::pair{TransactionKind::DailyRefresh, QT_TRANSLATE_NOOP("Words", "Daily refresh")},
        std::pair{TransactionKind::DailyExpiry, QT_TRANSLATE_NOOP("Words", "Daily expiry")},
        std::pair{TransactionKind::Purchase, QT_TRANSLATE_NOOP("Words", "Purchase")},
        std::pair{TransactionKind::BonusGrant, QT_TRANSLATE_NOOP("Words", "Bonus")},
        std::pair{TransactionKind::BonusExpiry, QT_TRANSLATE_NOOP("Words", "Bonus expiry")},
        std::pair{TransactionKind::Chat, QT_TRANSLATE_NOOP("Words", "Chat")},
        std::pair{TransactionKind::ChatRefund, QT_TRANSLATE_NOOP("Words", "Chat refund")},
        std::pair{TransactionKind::PaymentRefund, QT_TRANSLATE_NOOP("Words", "Payment refund")},
        std::pair{TransactionKind::Chargeback, QT_TRANSLATE_NOOP("Words", "Chargeback")},
        std::pair{TransactionKind::Debt, QT_TRANSLATE_NOOP("Words", "Debt")},
        std::pair{TransactionKind::DebtPayment, QT_TRANSLATE_NOOP("Words", "Debt payment")},
        std::pair{TransactionKind::Adjustment, QT_TRANSLATE_NOOP("Words", "Adjustment")},
        std::pair{TransactionKind::SubscriptionChange, QT_TRANSLATE_NOOP("Words", "Subscription")},
    };
    for (const auto &[value, name] : names)
        if (value == kind)
            return word(name);
    return format::words(toText(kind));
}

QString role(Role role)
{
    switch (role) {
    case Role::User:
        return word(QT_TRANSLATE_NOOP("Words", "User"));
    case Role::Admin:
        return word(QT_TRANSLATE_NOOP("Words", "Administrator"));
    case Role::Finance:
        return word(QT_TRANSLATE_NOOP("Words", "Finance"));
    case Role::Support:
        return word(QT_TRANSLATE_NOOP("Words", "Support"));
    case Role::Qa:
        return word(QT_TRANSLATE_NOOP("Words", "QA"));
    case Role::Viewer:
        return word(QT_TRANSLATE_NOOP("Words", "Viewer"));
    }
    return {};
}

QString userStatus(UserStatus status)
{
    switch (status) {
    case UserStatus::Active:
        return word(QT_TRANSLATE_NOOP("Words", "Active"));
    case UserStatus::Suspended:
        return word(QT_TRANSLATE_NOOP("Words", "Suspended"));
    case UserStatus::Erased:
        return word(QT_TRANSLATE_NOOP("Words", "Erased"));
    }
    return {};
}

QString characterStatus(CharacterStatus status)
{
    switch (status) {
    case CharacterStatus::Draft:
        return word(QT_TRANSLATE_NOOP("Words", "Draft"));
    case CharacterStatus::Published:
        return word(QT_TRANSLATE_NOOP("Words", "Published"));
    case CharacterStatus::Archived:
        return word(QT_TRANSLATE_NOOP("Words", "Archived"));
    }
    return {};
}

QString product(const QString &code)
{
    if (const auto known = fromText<Tier>(code))
        return tier(*known);
    return format::words(code);
}

Tone tone(UserStatus status)
{
    return status == UserStatus::Active   ? Tone::Positive
        : status == UserStatus::Suspended ? Tone::Danger
                                          : Tone::Neutral;
}

Tone tone(CharacterStatus status)
{
    return status == CharacterStatus::Published ? Tone::Positive
        : status == CharacterStatus::Draft      ? Tone::Warning
                                                : Tone::Neutral;
}

QString translatedTitle(const char *title)
{
    return QCoreApplication::translate("Field", title);
}

} // namespace companion::console::words
