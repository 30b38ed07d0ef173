#include "console/ui/pages/ConsolePage.h"

#include "console/ui/widgets/Look.h"

namespace companion::console {

PageHead::PageHead(const QString &title, QWidget *parent)
    : QWidget(parent)
    , m_title(label(title, "page-title"))
    , m_context(label({}, "quiet"))
    , m_row(plain(new QHBoxLayout(this), space::m))
{
    m_title->setObjectName(u"pageTitle");
    m_context->setObjectName(u"pageContext");
    auto *words = plain(new QVBoxLayout, 2);
    words->addWidget(m_title);
    words->addWidget(m_context);
    m_row->addLayout(words, 1);
}

void PageHead::setTitle(const QString &title)
{
    m_title->setText(title);
}

void PageHead::setContext(const QString &context)
{
    m_context->setText(context);
}

void PageHead::addLeading(QWidget *widget)
{
    m_row->insertWidget(m_leading++, widget, 0, Qt::AlignVCenter);
}

void PageHead::addAction(QWidget *widget)
{
    m_row->addWidget(widget, 0, Qt::AlignVCenter);
}

} // namespace companion::console
