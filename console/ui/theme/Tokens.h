#pragma once

#include "console/models/Roles.h"

#include <QColor>
#include <QList>

namespace companion::console {

// Every colour, size and distance of the console. Widgets and delegates name them and never write a number of their
// own.
struct Tokens
{
    bool dark = false;
    QColor window, surface, raised;
    QColor border, strongBorder;
    QColor text, secondary, disabled;
    QColor accent, onAccent;
    QColor positive, warning, danger;
    QColor spicy, rehearsal;
    QList<QColor> series; // of charts, told apart by colour-blind eyes too

    QColor selection() const { return tint(accent, 0.12); }
    QColor hover() const { return tint(text, dark ? 0.06 : 0.04); }
    QColor tone(Tone tone) const
    {
        switch (tone) {
        case Tone::Accent:
            return accent;
        case Tone::Positive:
            return positive;
        case Tone::Warning:
            return warning;
        case Tone::Danger:
            return danger;
        case Tone::Spicy:
            return spicy;
        case Tone::Rehearsal:
            return rehearsal;
        case Tone::Neutral:
            break;
        }
        return secondary;
    }
    static QColor tint(QColor colour, double share)
    {
        colour.setAlphaF(static_cast<float>(share));
        return colour;
    }

    static Tokens light()
    {
        return {.dark = false,
                .window = 0xF6F7F9,
                .surface = 0xFFFFFF,
                .raised = 0xFFFFFF,
                .border = 0xE3E6EB,
                .strongBorder = 0xC9CED6,
                .text = 0x14171C,
                .secondary = 0x5B6472,
                .disabled = 0x9AA2AE,
                .accent = 0x3B5BDB,
                .onAccent = 0xFFFFFF,
                .positive = 0x1B7F4B,
                .warning = 0x9A6700,
                .danger = 0xB42318,
                .spicy = 0xC2255C,
                .rehearsal = 0x7048E8,
                .series = {0x4263EB, 0xE8590C, 0x0CA678, 0xC2255C, 0xB08900, 0x868E96}};
    }
    static Tokens darkOnes()
    {
        return {.dark = true,
                .window = 0x111418,
                .surface = 0x181C22,
                .raised = 0x1F242C,
                .border = 0x2A303A,
                .strongBorder = 0x3A424E,
                .text = 0xE8EBF0,
                .secondary = 0x9AA4B2,
                .disabled = 0x5F6977,
                .accent = 0x7C93FF,
                .onAccent = 0x10131A,
                .positive = 0x4CC38A,
                .warning = 0xE2B53E,
                .danger = 0xFF7B72,
                .spicy = 0xF783AC,
                .rehearsal = 0xB197FC,
                .series = {0x4263EB, 0xE8590C, 0x0CA678, 0xC2255C, 0xB08900, 0x868E96}};
    }
};

namespace space {
constexpr int xs = 4, s = 8, m = 12, l = 16, xl = 24, xxl = 32;
constexpr int page = 24, card = 16, gap = 16;
} // namespace space

namespace radius {
constexpr int control = 6, card = 10;
}

namespace type {
constexpr int caps = 11, small = 12, body = 13, section = 16, title = 22, figure = 28; // pixels
}

namespace size {
constexpr int row = 34, compactRow = 28, control = 32, rail = 208, railCollapsed = 56, icon = 18, avatar = 24;
constexpr int bubbleCharacters = 68, composerLines = 6, productionLine = 3;
} // namespace size

namespace motion {
constexpr int skeletonDelay_ms = 150, typeahead_ms = 160;
}

} // namespace companion::console
