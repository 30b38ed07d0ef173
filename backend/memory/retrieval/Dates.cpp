#include "memory/retrieval/Dates.h"
namespace companion::memory {
std::vector<DatedPhrase> datesIn(QStringView, const QDate &) { return {}; }
}
