// JSON → every model that both programs share → JSON. The first byte chooses the model; what can be read is written and
// read again to the same bytes, and what cannot be read says where.
#include "Fuzz.h"
#include "common/describe/Json.h"
#include "common/models/Admin.h"
#include "common/models/Character.h"
#include "common/models/Chat.h"
#include "common/models/Identity.h"
#include "common/models/Market.h"
#include "common/models/Page.h"
#include "common/models/Wallet.h"

#include <QJsonDocument>
#include <array>

using namespace companion;
using companion::fuzz::must;

namespace {

template <class T>
void oneModel(const QJsonObject &object)
{
    for (const auto unknown : {UnknownFields::Refuse, UnknownFields::Ignore}) {
        const auto read = fromJson<T>(object, unknown);
        if (!read) {
            must(read.error().code == ErrorCode::Invalid && !read.error().errors.isEmpty(),
                 "a refusal names the places");
            for (const auto &error : read.error().errors)
                must(error.pointer.isEmpty() || error.pointer.startsWith(u'/'), "a place is a JSON Pointer");
            continue;
        }
        const auto written = toJson(*read);
        const auto again = fromJson<T>(written);
        must(again.has_value(), "what was written can be read");
        must(toJson(*again) == written, "and is the same");
    }
}

using Check = void (*)(const QJsonObject &);
template <class... T>
constexpr std::array<Check, sizeof...(T)> checksOf()
{
    return {&oneModel<T>...};
}

// Every body that a route takes, then what the console reads from us.
constexpr auto checks =
    checksOf<LoginRequest, RefreshRequest, UserPatch, AgeVerificationRequest, ApiKeyRequest, AdjustmentRequest,
             TierChange, Reason, NewCharacter, Persona, PublishRequest, RollbackRequest, NewSession, SessionPatch,
             CompletionRequest, PersonaTestRequest, User, TokenGrant, Device, ApiKey, PublicCharacter, AdminCharacter,
             CharacterVersion, ChatSession, Message, Quote, CompanionPart, Balance, Transaction, ProductList, AdminUser,
             StatsSummary, Series<RevenuePoint>, Series<ActivityPoint>, Page<ChatSession>, SystemInfo,
             PersonaTestResult>();

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size)
{
    if (size < 1)
        return 0;
    const auto document = QJsonDocument::fromJson(fuzz::bytesOf(data + 1, size - 1));
    if (document.isObject())
        checks.at(data[0] % checks.size())(document.object());
    return 0;
}
