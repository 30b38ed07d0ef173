#include "llm/WireModel.h"

#include "llm/wire/WireGeneration.h"

namespace companion::llm {

WireModel::WireModel(const WireOptions &options, QObject *parent)
    : m_options(options)
    , m_pool(options.managers)
    , m_health(QStringLiteral("%1 at %2").arg(options.model, options.baseUrl.host()), options.degradedAfter,
               options.downAfter)
{
    setParent(parent);
}

// Generations use the pool and the health until their end, so they go first.
WireModel::~WireModel()
{
    qDeleteAll(findChildren<WireGeneration *>(QString(), Qt::FindDirectChildrenOnly));
}

Generation *WireModel::start(const Request &request)
{
    return new WireGeneration(*this, request);
}

} // namespace companion::llm
