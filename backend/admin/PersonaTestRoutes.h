#pragma once

#include "api/Api.h"
#include "billing/Price.h"
#include "characters/CharacterService.h"
#include "llm/LanguageModel.h"
#include "moderation/Crisis.h"
#include "moderation/Screen.h"

namespace companion::admin {

struct PersonaTestParts
{
    db::Workers &operators;
    const characters::CharacterService &characters;
    llm::LanguageModel &model;
    std::shared_ptr<const moderation::Screen> screen;
    std::shared_ptr<const moderation::HelpLines> helpLines;
    billing::PriceTerms price; // of a user without a discount; the multiplier is the persona's
    QString spicyModel = {};
};

// POST /admin/persona-tests: a chat with a draft or a version, billed to nobody.
void addPersonaTestRoutes(api::Api &api, const PersonaTestParts &parts);

} // namespace companion::admin
