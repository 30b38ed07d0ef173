#include "app/SigningKeysCommand.h"

#include "identity/AuditLog.h"
#include "identity/SigningKeys.h"

namespace companion::app {

using namespace Qt::StringLiterals;

namespace {

using identity::SigningKeys;

constexpr int shortestNotice_s = 2 * SigningKeys::reload_s;
constexpr int longestNotice_s = 24 * 3600;

CommandForm listKeysForm()
{
    return {.name = u"signing-keys list"_s,
            .summary = u"The keys that sign and verify access tokens, the newest first; never the keys themselves."_s};
}

CommandForm rotateKeysForm()
{
    return {.name = u"signing-keys rotate"_s,
            .summary = u"Publish the next key before its time. Nobody is signed out: older tokens live to their end. "
                       "(Without this a key is followed by the next after %1 days.)"_s.arg(SigningKeys::signs_days),
            .options = {{u"after"_s,
                         u"The new key signs after so many seconds (%1; at least %2, so that every instance has "
                         "read it by then)."_s.arg(SigningKeys::publishedAhead_s)
                             .arg(shortestNotice_s),
                         u"SECONDS"_s}}};
}

CommandForm replaceKeysForm()
{
    return {.name = u"signing-keys replace"_s,
            .summary = u"For when a key may have leaked: end all keys and sign everybody out. Running instances follow "
                       "within %1 seconds."_s.arg(SigningKeys::reload_s),
            .options = {{u"reason"_s, u"Why, for the audit log (required)."_s, u"TEXT"_s}}};
}

QString lineOf(const identity::SigningKeyState &key, const QDateTime &now)
{
    const QString state = key.signs ? u"signs since "_s + json::timeText(key.signsFrom)
        : key.signsFrom > now       ? u"will sign from "_s + json::timeText(key.signsFrom)
                                    : u"signed from "_s + json::timeText(key.signsFrom);
    const QString end = key.verifiesUntil ? u", verifies until "_s + json::timeText(*key.verifiesUntil) : QString();
    return u"%1  %2%3\n"_s.arg(key.id, state, end);
}

Outcome keysOutcome(db::Session &db, bool json, const QString &sentence = {}, QJsonObject more = {})
{
    const auto keys = SigningKeys().list(db);
    if (json) {
        more.insert(u"items"_s, JsonType<QList<identity::SigningKeyState>>::write(keys));
        return printed(more);
    }
    QString text = sentence;
    for (const identity::SigningKeyState &key : keys)
        text += lineOf(key, db.now());
    return {.out = text.isEmpty() ? u"There are no keys yet; the first start makes one.\n"_s : text};
}

void recordKeys(db::Session &db, const QString &act, const QString &reason, const QJsonObject &after)
{
    identity::AuditLog().append(
        db, {.actor = u"cli"_s, .act = act, .target = u"signing_keys"_s, .reason = reason, .after = after});
}

Outcome rotateKeys(db::Session &db, int after_s, bool json)
{
    db::Transaction transaction(db);
    SigningKeys().rotate(db, after_s);
    recordKeys(db, u"signing_keys.rotate"_s, u"companion-backend signing-keys rotate"_s,
               {{u"signs_from"_s, json::timeText(db.now().addSecs(after_s))}});
    transaction.commit();
    return keysOutcome(db, json);
}

Outcome replaceKeys(db::Session &db, const QString &reason, bool json)
{
    db::Transaction transaction(db);
    const int devices = SigningKeys().replaceAll(db);
    recordKeys(db, u"signing_keys.replace"_s, reason, {{u"devices_signed_out"_s, devices}});
    transaction.commit();
    return keysOutcome(db, json, u"All keys are replaced, and %1 devices signed out.\n"_s.arg(devices),
                       {{u"devices_signed_out"_s, devices}});
}

ParsedCommand parseListKeys(const QStringList &args)
{
    const auto arguments = CommandArguments::read(listKeysForm(), args);
    if (!arguments)
        return std::unexpected(arguments.error());
    return Command{arguments->dataDir(), [json = arguments->json()](const CommandParts &parts) {
                       return keysOutcome(parts.operators, json);
                   }};
}

ParsedCommand parseRotateKeys(const QStringList &args)
{
    const auto arguments = CommandArguments::read(rotateKeysForm(), args);
    if (!arguments)
        return std::unexpected(arguments.error());
    bool isNumber = true;
    const int after_s =
        arguments->has(u"after"_s) ? arguments->value(u"after"_s).toInt(&isNumber) : SigningKeys::publishedAhead_s;
    if (!isNumber || after_s < shortestNotice_s || after_s > longestNotice_s)
        return std::unexpected(
            arguments->wrong(u"--after takes %1 to %2 seconds."_s.arg(shortestNotice_s).arg(longestNotice_s)));
    return Command{arguments->dataDir(), [after_s, json = arguments->json()](const CommandParts &parts) {
                       return rotateKeys(parts.operators, after_s, json);
                   }};
}

ParsedCommand parseReplaceKeys(const QStringList &args)
{
    const auto arguments = CommandArguments::read(replaceKeysForm(), args);
    if (!arguments)
        return std::unexpected(arguments.error());
    const QString reason = arguments->value(u"reason"_s).trimmed();
    if (reason.isEmpty() || reason.size() > 500)
        return std::unexpected(arguments->wrong(u"--reason TEXT (at most 500 characters) is missing."_s));
    return Command{arguments->dataDir(), [reason, json = arguments->json()](const CommandParts &parts) {
                       return replaceKeys(parts.operators, reason, json);
                   }};
}

} // namespace

ParsedCommand signingKeysCommand(const QStringList &args)
{
    const QString verb = args.value(0);
    if (verb == u"list"_s)
        return parseListKeys(args.mid(1));
    if (verb == u"rotate"_s)
        return parseRotateKeys(args.mid(1));
    if (verb == u"replace"_s)
        return parseReplaceKeys(args.mid(1));
    const QString help = familyHelp(u"signing-keys"_s, {listKeysForm(), rotateKeysForm(), replaceKeysForm()});
    if (verb == u"--help"_s || verb == u"-h"_s)
        return std::unexpected(Outcome{.out = help});
    return std::unexpected(Outcome{.exitCode = 2, .err = help});
}

} // namespace companion::app
