#pragma once

#include "console/client/ApiCall.h"
#include "console/models/TableModel.h"

namespace companion::console {

// What a list fetched page by page says; a template cannot have signals.
class ListNews : public QObject
{
    Q_OBJECT
public:
    using QObject::QObject;

Q_SIGNALS:
    void loading();
    void loaded();
    void failed(const companion::console::Problem &problem);
};

// A list by cursor, fetched as the view scrolls: it never holds more than was looked at. The answer to an older
// question never replaces a newer one's.
template <class Row>
class PagedModel : public RowsModel<Row>
{
public:
    static constexpr int rowsPerPage = 50;
    // One page after `cursor`; none: the first.
    using Ask = std::function<ApiCall<Page<Row>>(int limit, const std::optional<QString> &cursor)>;

    using RowsModel<Row>::RowsModel;

    ListNews &news() { return m_news; }
    // As the first page said; what has been fetched where it did not.
    qint64 total() const { return m_total; }

    void load(const Ask &ask)
    {
        m_call.abort();
        m_ask = ask;
        m_cursor.reset();
        m_more = false;
        m_first = true;
        Q_EMIT m_news.loading();
        fetch();
    }
    void reload()
    {
        if (m_ask)
            load(m_ask);
    }
    void forget()
    {
        m_call.abort();
        m_ask = {};
        m_more = false;
        this->setRows({});
    }

    bool canFetchMore(const QModelIndex &parent) const override
    {
        return !parent.isValid() && m_more && !m_call.isRunning();
    }
    void fetchMore(const QModelIndex &parent) override
    {
        if (canFetchMore(parent))
            fetch();
    }

private:
    void fetch()
    {
        m_call = m_ask(rowsPerPage, m_cursor);
        m_call.then(&m_news, [this](const ApiResult<Page<Row>> &page) { take(page); });
    }
    void take(const ApiResult<Page<Row>> &page)
    {
        if (!page) {
            if (page.error().kind != Problem::Kind::Cancelled)
                Q_EMIT m_news.failed(page.error());
            return;
        }
        m_cursor = page->nextCursor;
        m_more = page->hasMore && m_cursor;
        if (m_first)
            this->setRows(page->items);
        else
            this->appendRows(page->items);
        if (std::exchange(m_first, false))
            m_total = page->total.value_or(page->items.size());
        m_total = std::max<qint64>(m_total, this->rows().size());
        Q_EMIT m_news.loaded();
    }

    ListNews m_news;
    Ask m_ask;
    std::optional<QString> m_cursor;
    ApiCall<Page<Row>> m_call;
    qint64 m_total = 0;
    bool m_more = false;
    bool m_first = true;
};

} // namespace companion::console
