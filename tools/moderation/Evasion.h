#pragma once

#include <QString>
#include <functional>
#include <random>
#include <vector>

namespace companion::lab {

// A way to write the same words so that a list does not see them.
struct Disguise
{
    const char *name;
    std::function<QString(const QString &, std::mt19937 &)> apply;
};

const std::vector<Disguise> &disguises();

} // namespace companion::lab
