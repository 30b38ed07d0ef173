#pragma once

#include "common/describe/Json.h"

namespace companion {

// What a user may agree to, by the version of the text that was shown.
enum class ConsentKind { Terms, Privacy, AdultContent, Memory, Marketing };
template <>
struct EnumNames<ConsentKind>
{
    using K = ConsentKind;
    static constexpr std::array values{std::pair{K::Terms, "terms"}, std::pair{K::Privacy, "privacy"},
                                       std::pair{K::AdultContent, "adult_content"}, std::pair{K::Memory, "memory"},
                                       std::pair{K::Marketing, "marketing"}};
};

using ConsentId = Id<struct ConsentTag>;

struct Consent
{
    ConsentId id;
    ConsentKind kind = ConsentKind::Terms;
    QString version;
    bool given = false; // false: refused, or taken back
    QDateTime createdAt;

    static constexpr const char *modelName = "Consent";
    static constexpr auto fields()
    {
        using C = Consent;
        return std::tuple(field("id", &C::id), field("kind", &C::kind, {.title = "What"}),
                          field("version", &C::version, {.title = "Version"}),
                          field("given", &C::given, {.title = "Given"}),
                          field("created_at", &C::createdAt, {.title = "When"}));
    }
};

struct ConsentRequest
{
    ConsentKind kind = ConsentKind::Terms;
    QString version;
    bool given = true;

    static constexpr const char *modelName = "ConsentRequest";
    static constexpr auto fields()
    {
        using C = ConsentRequest;
        return std::tuple(field("kind", &C::kind),
                          field("version", &C::version, {.minLength = 1, .maxLength = 64, .pattern = "[!-~]+"}),
                          field("given", &C::given));
    }
};

struct ErasedData
{
    QString what;
    qint64 count = 0;

    static constexpr const char *modelName = "ErasedData";
    static constexpr auto fields()
    {
        return std::tuple(field("what", &ErasedData::what), field("count", &ErasedData::count));
    }
};

struct KeptData
{
    QString what;
    QString why;

    static constexpr const char *modelName = "KeptData";
    static constexpr auto fields() { return std::tuple(field("what", &KeptData::what), field("why", &KeptData::why)); }
};

// What is told, once, to the one whose account was erased, and stands beside the tombstone.
struct ErasureReceipt
{
    UserId user; // stands in the books for ever, and nowhere else
    QDateTime erasedAt;
    QList<ErasedData> erased; // deleted or emptied
    QList<KeptData> kept;
    QDateTime backupsUntil; // until then the operator's backups may hold what was erased

    static constexpr const char *modelName = "ErasureReceipt";
    static constexpr auto fields()
    {
        using R = ErasureReceipt;
        return std::tuple(field("user_id", &R::user), field("erased_at", &R::erasedAt), field("erased", &R::erased),
                          field("kept", &R::kept), field("backups_until", &R::backupsUntil));
    }
};

} // namespace companion
