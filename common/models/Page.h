#pragma once

#include "common/describe/Json.h"

namespace companion {

// GET …?limit=&offset= (total set) or ?cursor= (next_cursor set while there is more).
template <class T>
struct Page
{
    QList<T> items;
    std::optional<qint64> total;
    int limit = 20;
    std::optional<qint64> offset;
    bool hasMore = false;
    std::optional<QString> nextCursor;

    static constexpr const char *modelName = "Page";
    static constexpr auto fields()
    {
        return std::tuple(field("items", &Page::items), field("total", &Page::total), field("limit", &Page::limit),
                          field("offset", &Page::offset), field("has_more", &Page::hasMore),
                          field("next_cursor", &Page::nextCursor));
    }
};

// What a list was asked for. Routes read it from the query; limit is 1 to 100.
struct PageRequest
{
    int limit = 20;
    qint64 offset = 0;
    std::optional<QString> cursor = {};
};

} // namespace companion
