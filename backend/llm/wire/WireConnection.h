#pragma once

#include "llm/wire/HttpAnswer.h"

#include <QAbstractSocket>
#include <QObject>
#include <QUrl>

class QTcpSocket;

namespace companion::llm {

class PlainSocket;

// One connection to the provider, in HTTP/1.1, one request after the other. Ours and not QNetworkAccessManager's, which
// keeps a thread for every six connections (docs/performance.md). Loop thread. Nothing is emitted from inside send();
// after cut() nothing at all.
class WireConnection : public QObject
{
    Q_OBJECT
public:
    // http or https. `onlyIpv4` where an earlier attempt by way of the host's other addresses came to nothing.
    WireConnection(const QUrl &url, bool onlyIpv4, QObject *parent);
    ~WireConnection() override;

    // Connects first where it must. A kept connection that ends before a byte of the answer has come may have been
    // closed by the provider while the request was on its way: then once more, on a new one.
    void send(const QByteArray &request);
    bool isAsked() const { return m_asked; } // ended() has still to come
    bool isFree() const; // for another request
    bool isConnected() const;
    void cut(); // ends it now

    const HttpAnswer &answer() const { return m_answer; }
    QAbstractSocket::SocketError error() const { return m_error; } // why it ended early

Q_SIGNALS:
    void sent(); // the whole request is on its way
    void headCame();
    void bodyCame(const QByteArray &bytes);
    void ended(); // the answer is complete, or the connection is lost (see answer().state())
    void lost(); // closed while nothing was asked

private:
    void open();
    void onConnected();
    void onWritten();
    void onReadable();
    void onClosed();
    void onError(QAbstractSocket::SocketError error);
    void end();

    const QUrl m_url;
    const bool m_onlyIpv4;
    QTcpSocket *m_socket = nullptr;
    PlainSocket *m_plain = nullptr; // the same where it is not encrypted
    QByteArray m_request; // kept until the answer begins
    HttpAnswer m_answer;
    QAbstractSocket::SocketError m_error = QAbstractSocket::UnknownSocketError;
    bool m_asked = false; // an answer is awaited
    bool m_sentSaid = false;
    bool m_mayResend = false;
    bool m_cut = false;
};

} // namespace companion::llm
