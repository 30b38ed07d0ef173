#pragma once

#include "common/models/Admin.h"
#include "common/models/Character.h"
#include "console/models/Roles.h"

namespace companion::console {

// The shared models' enumerations and titles in the operator's language.
namespace words {

QString tier(Tier tier);
QString bucket(Bucket bucket);
QString kind(TransactionKind kind);
QString role(Role role);
QString userStatus(UserStatus status);
QString characterStatus(CharacterStatus status);
QString product(const QString &code); // tier or package code; an unknown code as words

Tone tone(UserStatus status);
Tone tone(CharacterStatus status);

// The title a model gives a field, translated: title(&AdminUser::email).
QString translatedTitle(const char *title);
template <class Owner, class Member>
QString title(Member Owner::*member)
{
    const char *found = "";
    forEachField<Owner>([&](const auto &field) {
        if constexpr (std::is_same_v<decltype(field.member), Member Owner::*>)
            if (field.member == member)
                found = field.rules.title;
    });
    return translatedTitle(found);
}

} // namespace words

} // namespace companion::console
