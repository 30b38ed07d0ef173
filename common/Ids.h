#pragma once

#include <QHashFunctions>
#include <QUuid>
#include <optional>

namespace companion {

// An id of one kind of thing: a UUID that cannot be mixed up with another kind's.
template <class Tag>
class Id
{
public:
    Id() = default;
    explicit Id(const QUuid &uuid)
        : m_uuid(uuid)
    {
    }
    static Id create() { return Id(QUuid::createUuid()); }
    // Exactly the 36-character form; nullopt for anything else.
    static std::optional<Id> parse(QStringView text)
    {
        const QUuid uuid = text.size() == 36 ? QUuid::fromString(text) : QUuid();
        return uuid.isNull() ? std::nullopt : std::optional(Id(uuid));
    }

    QString toString() const { return m_uuid.toString(QUuid::WithoutBraces); }
    bool isNull() const { return m_uuid.isNull(); }
    const QUuid &uuid() const { return m_uuid; }

    friend bool operator==(const Id &a, const Id &b) { return a.m_uuid == b.m_uuid; }
    friend bool operator<(const Id &a, const Id &b) { return a.m_uuid < b.m_uuid; }
    friend size_t qHash(const Id &id, size_t seed = 0) { return qHash(id.m_uuid, seed); }

private:
    QUuid m_uuid;
};

using UserId = Id<struct UserTag>;
using AccessKeyId = Id<struct AccessKeyTag>;
using ApiKeyId = Id<struct ApiKeyTag>; // a user's own key for the /v1 door
using DeviceId = Id<struct DeviceTag>; // a family of refresh tokens: one signed-in device
using CharacterId = Id<struct CharacterTag>;
using CharacterVersionId = Id<struct CharacterVersionTag>;
using SessionId = Id<struct SessionTag>;
using MessageId = Id<struct MessageTag>;
using HoldId = Id<struct HoldTag>;
using LotId = Id<struct LotTag>;
using TransactionId = Id<struct TransactionTag>;
using PaymentId = Id<struct PaymentTag>;
using ModerationEventId = Id<struct ModerationEventTag>;
using MemoryId = Id<struct MemoryTag>;  // a remembered turn has its message's
using MemoryReceiptId = Id<struct MemoryReceiptTag>;
using AuditEntryId = Id<struct AuditEntryTag>;
using JobId = Id<struct JobTag>;

} // namespace companion
