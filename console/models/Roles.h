#pragma once

#include <QtCore/qnamespace.h>

namespace companion::console {

// What a cell says beyond its text; delegates draw it.
enum CellRole {
    ToneRole = Qt::UserRole + 1, // Tone: a coloured dot before the word
    TimeRole, // QDateTime: shown relative, exact on hover
    ImageRole, // QUrl of a small picture before the text
    SecondaryRole, // true: drawn in the secondary colour
    KeyRole, // the row's own id, as text
};

// What a state means; the theme gives the colour.
enum class Tone { Neutral, Accent, Positive, Warning, Danger, Spicy, Rehearsal };

} // namespace companion::console
