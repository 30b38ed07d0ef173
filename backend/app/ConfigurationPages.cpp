#include "app/Configuration.h"

using namespace Qt::StringLiterals;

namespace companion::app {

namespace {

QString folded(const QString &text, const QString &prefix, int width)
{
    QString lines;
    QString line = prefix;
    for (const auto &word : text.split(u' ')) {
        if (line.size() + word.size() + 1 > width && line != prefix) {
            lines += line + u'\n';
            line = prefix;
        }
        line += (line == prefix ? QString() : u" "_s) + word;
    }
    return lines + line + u'\n';
}

QString remarks(const Setting &setting)
{
    return setting.takesEffect ? setting.meaning : setting.meaning + u" This version does nothing with it yet."_s;
}

} // namespace

QString envExampleText()
{
    QString text = folded(u"Every setting, with its default. Copy to DATA/companion.conf (or name the file in "
                          "COMPANION_CONFIG), or set them in the environment, which goes first. Any NAME may be given "
                          "as NAME_FILE: the value is then read from that file. `companion-backend config check` names "
                          "every mistake. This file is made from backend/app/ConfigurationTable.cpp (see "
                          "docs/configuration.md)."_s,
                          u"# "_s, 110);
    QString section;
    for (const auto &setting : configurationTable()) {
        if (section != setting.section)
            text += u"\n# == %1 ==\n"_s.arg(section = setting.section);
        text += u'\n' + folded(remarks(setting), u"# "_s, 110);
        text += u"# (%1)\n#%2=%3\n"_s.arg(setting.shape, setting.name, setting.fallback);
    }
    return text;
}

QString configurationPageText()
{
    QString text =
        u"# Configuration\n\n"
        "Settings come from the command line (`--data`, `--listen`), then the environment, then a file, then the "
        "defaults below; an empty value counts as not given.\n"
        "The file is the one that `COMPANION_CONFIG` names, else `DATA/companion.conf` where it exists: lines "
        "`KEY=VALUE`, quotes around the value optional, `#` begins a comment line.\n"
        "Any `NAME` may be given as `NAME_FILE`: the value is read from that file, without its line end. That is for "
        "secrets.\n\n"
        "`companion-backend config check` reads all of it, names every mistake at once with the place where it "
        "stands, and exits 1 when there is one; `serve` refuses to start with the same list. Unknown names are "
        "mistakes in the file, and in the environment where they begin with `COMPANION_`, `BILLING_` or "
        "`RATE_LIMIT_`. Secrets are never printed.\n\n"
        "This page and `.env.example` are made from the table in `backend/app/ConfigurationTable.cpp`; the test "
        "`app/Configuration` holds the three together, and writes both anew when it runs with `UPDATE_DOCS=1`.\n"_s;
    QString section;
    for (const auto &setting : configurationTable()) {
        if (section != setting.section)
            text += u"\n## %1\n\n| variable | value | default | meaning |\n|---|---|---|---|\n"_s.arg(
                section = setting.section);
        QString shape = setting.shape;
        const QString fallback = setting.fallback.isEmpty() ? QString() : u"`%1`"_s.arg(setting.fallback);
        text += u"| `%1` | %2%3 | %4 | %5 |\n"_s.arg(setting.name, shape.replace(u'|', u"\\|"_s),
                                                     setting.secret ? u" (secret)"_s : QString(), fallback,
                                                     remarks(setting));
    }
    text += u"\n## An external database\n\n"
            "`DATABASE_URL` names the owner of the tables. Besides the owner two roles are used, which row-level "
            "security binds: `companion_app` and `companion_operator`. They are made at the first start:\n\n"
            "- With a password in the URL, theirs are derived from it (HMAC-SHA256), the same on every instance. A "
            "changed owner's password changes theirs at the next start; running instances keep their connections.\n"
            "- Without one (trust or peer authentication) they get none, and the server must let them in the same "
            "way; else set `DATABASE_APP_URL` and `DATABASE_OPERATOR_URL`.\n"
            "- Where the owner may not create roles, the start stops and prints the statements that an administrator "
            "must run.\n\n"
            "Roles belong to a whole server: two installations on one server need `DATABASE_APP_URL` and "
            "`DATABASE_OPERATOR_URL`, or the same owner's password. pgbouncer in transaction mode does not work: "
            "statements are prepared per connection.\n"_s;
    return text;
}

} // namespace companion::app
