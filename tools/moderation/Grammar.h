#pragma once

#include <QHash>
#include <QStringList>

#include <expected>
#include <random>

namespace companion::lab {

// Texts of our own, generated. A file holds definitions and lines:
//   # a remark
//   @bomb = pipe bomb | nail bomb        used as @bomb
//   = 40                                 from here on, up to so many texts of each line
//   how (do|can) i (build|make) a @bomb (|at home)
// Choices may hold choices. The same file and seed give the same texts.
class Grammar
{
public:
    static std::expected<QStringList, QString> expand(const QString &file, unsigned seed);

private:
    QString expanded(QStringView line, int depth);
    QString choice(QStringView line, qsizetype &at, int depth);

    QHash<QString, QString> m_definitions;
    std::mt19937 m_random;
};

} // namespace companion::lab
