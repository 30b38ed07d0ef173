#pragma once

#include <string>

namespace companion::memory {

// The stem of a folded word of ASCII letters and digits: "went" and "going" → "go", "paintings" → "paint".
std::string stemmed(std::string word);

} // namespace companion::memory
