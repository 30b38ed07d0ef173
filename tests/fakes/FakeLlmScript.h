#pragma once

#include <QByteArray>
#include <QMap>
#include <QString>

// What the fake provider is to do with one request. As text: words parted by blanks or semicolons, `say=` last because
// it takes the rest: "pace=20 cut=5", "status=429 retry-after=2", "tokens=300", "say=Hello there".
//
//   say=TEXT             the reply                     tokens=N        a reply of N tokens
//   delay=MS             before the head               pace=MS         between tokens
//   status=N             an error answer               retry-after=V, retry-after-ms=V  (any text)
//   code=WORD            the error's code              redirect=URL    302 to there
//   stall=N              N tokens, then nothing more; stall=head: not even a head
//   cut=N                the connection ends after N tokens; half-char: in the middle of a character
//   error=N              after N tokens an error event (with `code`)
//   finish=WORD          finish reason                 no-finish  no-done  no-usage  no-drop
//   prompt=N completion=N total=N ticks=N              usage as told (any JSON)
//   garbage=json|html|line   huge-line=BYTES  endless  empty
//   crlf  cr  bom  comments  bytes (one byte at a time)  split-surrogates  null-content  reasoning  cumulative-usage
//   whole                answers a request for a stream with a whole JSON answer
//   drop                 closes without an answer      after-done      goes on talking after [DONE]
//   after-finish         talks on after the finish reason              done-twice      [DONE], and once more
//   bad-utf8             an event that is no UTF-8
//   barrier=N            held until N requests are held, or released
class FakeLlmScript
{
public:
    static FakeLlmScript parse(const QString &text);

    bool has(const char *word) const { return m_words.contains(QLatin1StringView(word)); }
    QString text(const char *word, const QString &otherwise = {}) const
    {
        return m_words.value(QLatin1StringView(word), otherwise);
    }
    int number(const char *word, int otherwise) const;

private:
    QMap<QString, QString> m_words;
};
