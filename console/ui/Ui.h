#pragma once

#include "common/Clock.h"
#include "console/ui/ImageCache.h"
#include "console/ui/dialogs/Prompts.h"
#include "console/ui/theme/Theme.h"

namespace companion::console {

// What every page and widget may need of the surroundings. All of it outlives the windows.
struct Ui
{
    Theme &theme;
    Prompts &prompts;
    ImageCache &images;
    const Clock &clock;
};

} // namespace companion::console
