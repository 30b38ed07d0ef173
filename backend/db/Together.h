#pragma once

#include "common/Result.h"
#include "db/DatabaseError.h"

#include <QLoggingCategory>
#include <algorithm>
#include <optional>
#include <vector>

namespace companion::db {

// What an act answers for orders that it does together: nothing in an answer's place says that the order is to be done
// alone. What an error has undone for all is done for each alone, too: one that cannot be done must not harm the
// others. Only a lost connection is told as it is, because then nobody knows what was done.
template <class Answer, class Act>
std::vector<Result<std::optional<Answer>>> together(std::size_t count, const QLoggingCategory &log, const Act &act)
{
    std::vector<Result<std::optional<Answer>>> answers(count);
    try {
        std::ranges::move(act(), answers.begin());
    } catch (const DatabaseError &error) {
        if (error.isConnectionLost())
            throw;
        qCWarning(log) << "each goes alone:" << error.sqlState() << error.what();
    } catch (const std::exception &error) {
        qCCritical(log) << "each goes alone, a bug:" << error.what();
    }
    return answers;
}

} // namespace companion::db
