#include "fakes/FakeLlm.h"
#include "llm/WireModel.h"

#include <QElapsedTimer>
#include <QEventLoop>
#include <QJsonArray>
#include <QSignalSpy>
#include <QTcpServer>
#include <QTcpSocket>
#include <QTest>
#include <QTimer>

#include <sys/socket.h>

using namespace companion;
using namespace companion::llm;
using namespace std::chrono_literals;

namespace {

constexpr const char *key = "sk-very-secret";

// One generation as a listener hears it.
class Listener : public QObject
{
public:
    explicit Listener(Generation *generation)
        : m_generation(generation)
    {
        connect(generation, &Generation::text, this, [this](const QString &delta) { deltas << delta; });
        connect(generation, &Generation::finished, this, [this](const Result<Completion> &result) {
            end = result;
            ++ends;
        });
    }

    Listener &wait()
    {
        QEventLoop loop; // qWaitFor() sleeps 10 ms at a time, and the fake lives in this thread
        if (m_generation)
            connect(m_generation, &QObject::destroyed, &loop, &QEventLoop::quit);
        QTimer::singleShot(10'000, &loop, [] { qFatal("the generation never ended"); });
        if (m_generation)
            loop.exec();
        return *this;
    }
    QString text() const { return deltas.join(QString()); }
    Generation *generation() const { return m_generation; }

    Result<Completion> end = refuse(ErrorCode::Internal, QStringLiteral("no end"));
    QStringList deltas;
    int ends = 0;

private:
    QPointer<Generation> m_generation;
};

Request ask(const QString &text = QStringLiteral("Hello?"))
{
    return {
        .messages = {{ChatMessage::Role::System, QStringLiteral("You are Mira.")}, {ChatMessage::Role::User, text}}};
}

QStringList logged;

void keepLog(QtMsgType, const QMessageLogContext &, const QString &message)
{
    logged << message;
}

} // namespace

class WireModelTest : public QObject
{
    Q_OBJECT

    std::unique_ptr<FakeLlm> m_fake;

    // Times short enough for a test, long enough for a busy machine.
    WireOptions options() const
    {
        return {.baseUrl = m_fake->baseUrl(),
                .apiKey = key,
                .model = QStringLiteral("grok-test"),
                .connect = 1500ms,
                .firstByte = 1500ms,
                .idle = 400ms,
                .afterFinish = 200ms,
                .total = 8000ms,
                .backoff = 10ms,
                .longestBackoff = 2000ms};
    }

    ErrorCode refusalTo(const QString &script)
    {
        WireModel model(options());
        m_fake->always(script);
        Listener listener(model.start(ask()));
        listener.wait();
        return listener.end ? ErrorCode::Internal : listener.end.error().code;
    }

private Q_SLOTS:
    void init()
    {
        m_fake = std::make_unique<FakeLlm>();
        QVERIFY(m_fake->listen());
    }

    void streams_a_reply_with_usage_and_cost()
    {
        WireModel model(options());
        m_fake->always(QStringLiteral("ticks=37756000 say=Grüß dich, 😀 my friend"));
        Request request = ask();
        request.temperature = 0.7;
        request.endUser = QStringLiteral("u-1");
        request.personaName = QStringLiteral("Mira");
        Listener listener(model.start(request));
        QCOMPARE(listener.ends, 0);
        listener.wait();
        QVERIFY(listener.end);
        QCOMPARE(listener.ends, 1);
        QCOMPARE(listener.deltas.size(), 5);
        QCOMPARE(listener.end->text, QStringLiteral("Grüß dich, 😀 my friend"));
        QCOMPARE(listener.text(), listener.end->text);
        QCOMPARE(listener.end->finishReason, QStringLiteral("stop"));
        QCOMPARE(listener.end->usage, (Usage{12, 5, 17}));
        QVERIFY(!listener.end->usageEstimated);
        QCOMPARE(listener.end->cost->toString(), QStringLiteral("0.0037756000"));
        QCOMPARE(listener.end->model, QStringLiteral("grok-test"));
        QVERIFY(listener.end->total_ms >= listener.end->firstToken_ms);
    }

    void asks_as_the_wire_wants_it()
    {
        WireModel model(options());
        Request request = ask();
        request.temperature = 0.7;
        request.endUser = QStringLiteral("u-1");
        request.personaName = QStringLiteral("Mira");
        Listener(model.start(request)).wait();
        const auto seen = m_fake->requests().value(0);
        QCOMPARE(seen.path, "/v1/chat/completions");
        QCOMPARE(seen.headers.value("authorization"), QByteArray("Bearer ") + key);
        QCOMPARE(seen.headers.value("accept-encoding"), "identity");
        const QJsonObject expected{{"model", "grok-test"},
                                   {"messages",
                                    QJsonArray{QJsonObject{{"role", "system"}, {"content", "You are Mira."}},
                                               QJsonObject{{"role", "user"}, {"content", "Hello?"}}}},
                                   {"stream", true},
                                   {"stream_options", QJsonObject{{"include_usage", true}}},
                                   {"max_tokens", 512},
                                   {"temperature", 0.7},
                                   {"user", "u-1"}};
        QCOMPARE(seen.json(), expected);
    }

    void sends_no_key_where_there_is_none()
    {
        WireOptions plain = options();
        plain.apiKey.clear();
        plain.baseUrl.setPath(QStringLiteral("/v1/"));
        WireModel model(plain);
        QVERIFY(Listener(model.start(ask())).wait().end);
        QVERIFY(!m_fake->requests()[0].headers.contains("authorization"));
    }

    void reads_every_spelling_of_a_good_answer_data()
    {
        QTest::addColumn<QString>("script");
        QTest::addColumn<bool>("estimated");
        for (const char *script : {"crlf", "cr", "bom", "comments", "bytes", "bytes crlf bom comments", "null-content",
                                   "reasoning", "cumulative-usage", "no-done", "whole", "after-done", "pace=5"})
            QTest::newRow(script) << QString::fromUtf8(script) << false;
        QTest::newRow("no usage") << QStringLiteral("no-usage") << true;
        QTest::newRow("no usage, no done") << QStringLiteral("no-usage no-done") << true;
        QTest::newRow("no finish reason") << QStringLiteral("no-finish") << false;
        QTest::newRow("a lie") << QStringLiteral("prompt=-4") << true;
    }
    void reads_every_spelling_of_a_good_answer()
    {
        QFETCH(QString, script);
        WireModel model(options());
        m_fake->always(script + QStringLiteral(" say=Fünf Worte, mehr nicht. 😀"));
        Listener listener(model.start(ask()));
        listener.wait();
        QVERIFY2(listener.end, qPrintable(listener.end ? QString() : listener.end.error().log));
        QCOMPARE(listener.end->text, QStringLiteral("Fünf Worte, mehr nicht. 😀"));
        QCOMPARE(listener.text(), listener.end->text);
        QCOMPARE(listener.end->finishReason, QStringLiteral("stop"));
        QTEST(listener.end->usageEstimated, "estimated");
        QVERIFY(listener.end->usage.totalTokens >= 10);
        QCOMPARE(m_fake->requests().size(), 1);
    }

    void never_emits_half_a_character()
    {
        WireModel model(options());
        m_fake->always(QStringLiteral("split-surrogates say=there"));
        Listener listener(model.start(ask()));
        listener.wait();
        QCOMPARE(listener.deltas, (QStringList{QStringLiteral("😀"), QStringLiteral("there")}));
    }

    void tells_the_finish_reason_data()
    {
        QTest::addColumn<QString>("told");
        QTest::addColumn<QString>("ours");
        for (const auto &[told, ours] : {std::pair{"stop", "stop"},
                                         {"length", "length"},
                                         {"max_tokens", "length"},
                                         {"content_filter", "content_filter"},
                                         {"tool_calls", "stop"},
                                         {"eos", "stop"}})
            QTest::newRow(told) << QString::fromUtf8(told) << QString::fromUtf8(ours);
    }
    void tells_the_finish_reason()
    {
        QFETCH(QString, told);
        WireModel model(options());
        m_fake->always(QStringLiteral("finish=") + told);
        QTEST(Listener(model.start(ask())).wait().end->finishReason, "ours");
    }

    void an_empty_filtered_reply_is_an_answer_and_any_other_empty_one_a_failure()
    {
        WireModel model(options());
        m_fake->always(QStringLiteral("empty finish=content_filter"));
        QCOMPARE(Listener(model.start(ask())).wait().end->finishReason, QStringLiteral("content_filter"));
        QCOMPARE(m_fake->requests().size(), 1);
        m_fake->next(QStringLiteral("empty"));
        m_fake->always(QString());
        QVERIFY(Listener(model.start(ask())).wait().end);
        QCOMPARE(m_fake->requests().size(), 3);
    }

    void tries_again_while_nothing_was_delivered_data()
    {
        QTest::addColumn<QString>("script");
        for (const char *script :
             {"status=500", "status=502", "status=503", "status=504", "status=408", "status=409", "status=429",
              "status=529", "status=429 retry-after=0", "drop", "cut=0", "stall=0", "error=0",
              "garbage=line tokens=1 cut=0", "garbage=html", "garbage=json", "empty", "half-char tokens=1 cut=0"})
            QTest::newRow(script) << QString::fromUtf8(script);
    }
    void tries_again_while_nothing_was_delivered()
    {
        QFETCH(QString, script);
        WireModel model(options());
        m_fake->next(script, 2);
        Listener listener(model.start(ask()));
        listener.wait();
        QVERIFY2(listener.end, qPrintable(listener.end ? QString() : listener.end.error().log));
        // the network layer itself resends on a connection that died before any answer
        QVERIFY(m_fake->requests().size() == 3);
        QCOMPARE(model.health().first, QStringLiteral("ok"));
    }

    void gives_up_after_its_attempts_data()
    {
        QTest::addColumn<QString>("script");
        QTest::addColumn<ErrorCode>("code");
        QTest::newRow("500") << QStringLiteral("status=500") << ErrorCode::ModelFailed;
        QTest::newRow("503") << QStringLiteral("status=503") << ErrorCode::ModelFailed;
        QTest::newRow("503 with a time") << QStringLiteral("status=503 retry-after=0") << ErrorCode::Overloaded;
        QTest::newRow("504") << QStringLiteral("status=504") << ErrorCode::ModelTimeout;
        QTest::newRow("429") << QStringLiteral("status=429") << ErrorCode::Overloaded;
        QTest::newRow("silence") << QStringLiteral("stall=0") << ErrorCode::ModelTimeout;
        QTest::newRow("huge line") << QStringLiteral("tokens=1 cut=0 huge-line=10000000") << ErrorCode::ModelFailed;
        QTest::newRow("error event") << QStringLiteral("error=0") << ErrorCode::ModelFailed;
        QTest::newRow("rate limit event")
            << QStringLiteral("error=0 code=rate_limit_exceeded") << ErrorCode::Overloaded;
    }
    void gives_up_after_its_attempts()
    {
        QFETCH(QString, script);
        QFETCH(ErrorCode, code);
        QCOMPARE(refusalTo(script), code);
        QCOMPARE(m_fake->requests().size(), 3);
    }

    void does_not_repeat_what_would_be_refused_again_data()
    {
        QTest::addColumn<QString>("script");
        for (const char *script :
             {"status=400", "status=401", "status=403", "status=404", "status=422",
              "status=429 code=insufficient_quota", "redirect=http://127.0.0.1:9/v1/chat/completions"})
            QTest::newRow(script) << QString::fromUtf8(script);
    }
    void does_not_repeat_what_would_be_refused_again()
    {
        QFETCH(QString, script);
        QCOMPARE(refusalTo(script), ErrorCode::ModelFailed);
        QCOMPARE(m_fake->requests().size(), 1);
    }

    void never_carries_the_key_to_where_a_redirect_points()
    {
        FakeLlm elsewhere;
        QVERIFY(elsewhere.listen());
        QCOMPARE(refusalTo(QStringLiteral("redirect=") + elsewhere.baseUrl().toString()
                           + QStringLiteral("/chat/completions")),
                 ErrorCode::ModelFailed);
        QCOMPARE(elsewhere.requests().size(), 0);
    }

    void fails_once_something_was_delivered_data()
    {
        QTest::addColumn<QString>("script");
        QTest::addColumn<ErrorCode>("code");
        QTest::newRow("cut") << QStringLiteral("tokens=50 cut=5") << ErrorCode::ModelFailed;
        QTest::newRow("cut within a character")
            << QStringLiteral("tokens=50 cut=5 half-char") << ErrorCode::ModelFailed;
        QTest::newRow("error event") << QStringLiteral("tokens=50 error=5") << ErrorCode::ModelFailed;
        QTest::newRow("stall") << QStringLiteral("tokens=50 stall=5") << ErrorCode::ModelTimeout;
        QTest::newRow("garbage") << QStringLiteral("tokens=5 garbage=line") << ErrorCode::ModelFailed;
        QTest::newRow("huge line") << QStringLiteral("tokens=5 huge-line=10000000") << ErrorCode::ModelFailed;
        QTest::newRow("no finish, no done")
            << QStringLiteral("tokens=5 no-finish no-done no-usage") << ErrorCode::ModelFailed;
    }
    void fails_once_something_was_delivered()
    {
        QFETCH(QString, script);
        WireOptions withFallback = options();
        withFallback.fallbackModels = {QStringLiteral("other")};
        WireModel model(withFallback);
        m_fake->always(script);
        Listener listener(model.start(ask()));
        listener.wait();
        QVERIFY(!listener.end);
        QTEST(listener.end.error().code, "code");
        QCOMPARE(listener.ends, 1);
        QCOMPARE(listener.text(), QStringLiteral(" word0 word1 word2 word3 word4"));
        QCOMPARE(m_fake->requests().size(), 1);
    }

    void waits_as_long_as_the_provider_asks()
    {
        WireModel model(options());
        m_fake->next(QStringLiteral("status=429 retry-after=1"));
        QElapsedTimer timer;
        timer.start();
        QVERIFY(Listener(model.start(ask())).wait().end);
        QVERIFY(timer.elapsed() >= 990);
        m_fake->next(QStringLiteral("status=429 retry-after=30 retry-after-ms=50"));
        timer.start();
        QVERIFY(Listener(model.start(ask())).wait().end);
        QVERIFY(timer.elapsed() < 900);
    }

    void does_not_wait_too_long_but_tells_the_caller_to()
    {
        WireModel model(options());
        m_fake->always(QStringLiteral("status=429 retry-after=17"));
        Listener listener(model.start(ask()));
        listener.wait();
        QCOMPARE(listener.end.error().code, ErrorCode::Overloaded);
        QCOMPARE(listener.end.error().retryAfter_s, 17);
        QCOMPARE(m_fake->requests().size(), 1);
    }

    void falls_back_on_other_models_in_their_order()
    {
        WireOptions chain = options();
        chain.attempts = 2;
        chain.fallbackModels = {QStringLiteral("second"), QStringLiteral("third")};
        WireModel model(chain);
        m_fake->next(QStringLiteral("status=500"), 2);
        m_fake->next(QStringLiteral("status=404"));
        Listener listener(model.start(ask()));
        listener.wait();
        QCOMPARE(listener.end->model, QStringLiteral("third"));
        QStringList asked;
        for (const auto &seen : m_fake->requests())
            asked << seen.json()[QLatin1StringView("model")].toString();
        QCOMPARE(asked,
                 (QStringList{QStringLiteral("grok-test"), QStringLiteral("grok-test"), QStringLiteral("second"),
                              QStringLiteral("third")}));
        QCOMPARE(model.health().first, QStringLiteral("degraded"));
        QVERIFY(Listener(model.start(ask())).wait().end);
        QCOMPARE(model.health().first, QStringLiteral("ok"));
    }

    void the_callers_model_comes_before_the_configured_one()
    {
        WireModel model(options());
        Request request = ask();
        request.model = QStringLiteral("grok-spicy");
        QCOMPARE(Listener(model.start(request)).wait().end->model, QStringLiteral("grok-spicy"));
    }

    void ends_in_time_whatever_the_provider_does_data()
    {
        QTest::addColumn<QString>("script");
        QTest::newRow("no head") << QStringLiteral("stall=head");
        QTest::newRow("words without end") << QStringLiteral("tokens=10000 pace=50");
    }
    void ends_in_time_whatever_the_provider_does()
    {
        QFETCH(QString, script);
        WireOptions hasty = options();
        hasty.total = 700ms;
        WireModel model(hasty);
        m_fake->always(script);
        QElapsedTimer timer;
        timer.start();
        Listener listener(model.start(ask()));
        listener.wait();
        QCOMPARE(listener.end.error().code, ErrorCode::ModelTimeout);
        QVERIFY(timer.elapsed() >= 650 && timer.elapsed() < 2500);
        QTRY_COMPARE(m_fake->running(), 0);
    }

    void does_not_wait_for_ever_for_the_head()
    {
        WireOptions hasty = options();
        hasty.firstByte = 200ms;
        hasty.attempts = 1;
        WireModel model(hasty);
        m_fake->always(QStringLiteral("stall=head"));
        Listener listener(model.start(ask()));
        listener.wait();
        QCOMPARE(listener.end.error().code, ErrorCode::ModelTimeout);
        QVERIFY(listener.end.error().log.contains(QStringLiteral("the head")));
    }

    // A listening socket whose queue is full neither refuses nor accepts.
    void does_not_wait_for_ever_for_a_connection()
    {
        QTcpServer deaf;
        deaf.setMaxPendingConnections(1);
        QVERIFY(deaf.listen(QHostAddress::LocalHost));
        deaf.pauseAccepting();
        ::listen(int(deaf.socketDescriptor()), 0);
        QTcpSocket first;
        QTcpSocket second;
        for (QTcpSocket *socket : {&first, &second})
            socket->connectToHost(QHostAddress::LocalHost, deaf.serverPort());
        QTest::qWait(100);

        WireOptions hasty = options();
        hasty.baseUrl = QUrl(QStringLiteral("http://127.0.0.1:%1/v1").arg(deaf.serverPort()));
        hasty.connect = 300ms;
        hasty.attempts = 1;
        WireModel model(hasty);
        Listener listener(model.start(ask()));
        listener.wait();
        QCOMPARE(listener.end.error().code, ErrorCode::ModelTimeout);
        QCOMPARE(listener.end.error().log, QStringLiteral("waited too long for a connection"));
    }

    void a_provider_that_is_not_there_is_a_failure()
    {
        WireOptions nobody = options();
        nobody.baseUrl = QUrl(QStringLiteral("http://127.0.0.1:1/v1"));
        WireModel model(nobody);
        QCOMPARE(Listener(model.start(ask())).wait().end.error().code, ErrorCode::ModelFailed);
    }

    void a_usage_that_never_comes_is_estimated()
    {
        WireModel model(options());
        QTcpServer half;
        QVERIFY(half.listen(QHostAddress::LocalHost));
        connect(&half, &QTcpServer::newConnection, this, [&] {
            QTcpSocket *socket = half.nextPendingConnection();
            connect(socket, &QTcpSocket::readyRead, socket, [socket] {
                socket->readAll();
                socket->write("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n"
                              "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"four words of "
                              "text\"},\"finish_reason\":\"stop\"}]}\n\n");
            });
        });
        WireOptions there = options();
        there.baseUrl = QUrl(QStringLiteral("http://127.0.0.1:%1/v1").arg(half.serverPort()));
        WireModel slow(there);
        Listener listener(slow.start(ask()));
        listener.wait();
        QVERIFY(listener.end);
        QVERIFY(listener.end->usageEstimated);
        QCOMPARE(listener.end->usage.completionTokens, estimateTokens(QStringLiteral("four words of text")));
        QCOMPARE(listener.end->usage.promptTokens, estimateTokens(ask().messages));
    }

    void stops_when_told_and_keeps_what_was_said()
    {
        WireModel model(options());
        m_fake->always(QStringLiteral("tokens=1000 pace=20"));
        Listener listener(model.start(ask()));
        QTRY_VERIFY(listener.deltas.size() >= 5);
        listener.generation()->stop();
        listener.generation()->stop();
        QCOMPARE(listener.ends, 0);
        listener.wait();
        QCOMPARE(listener.ends, 1);
        QCOMPARE(listener.end->finishReason, QStringLiteral("stopped"));
        QCOMPARE(listener.end->text, listener.text());
        QVERIFY(listener.end->usageEstimated);
        QVERIFY(listener.end->usage.promptTokens > 0 && listener.end->usage.completionTokens >= 5);
        QTRY_COMPARE(m_fake->running(), 0); // the provider is left too
    }

    void stops_at_any_moment_data()
    {
        QTest::addColumn<QString>("script");
        QTest::addColumn<int>("after_ms");
        QTest::newRow("at once") << QString() << 0;
        QTest::newRow("before the head") << QStringLiteral("stall=head") << 100;
        QTest::newRow("between attempts") << QStringLiteral("status=429 retry-after=2") << 300;
    }
    void stops_at_any_moment()
    {
        QFETCH(QString, script);
        QFETCH(int, after_ms);
        WireModel model(options());
        m_fake->always(script);
        Listener listener(model.start(ask()));
        if (after_ms > 0)
            QTest::qWait(after_ms);
        listener.generation()->stop();
        listener.wait();
        QCOMPARE(listener.end->finishReason, QStringLiteral("stopped"));
        QCOMPARE(listener.end->text, QString());
        QCOMPARE(listener.end->usage.promptTokens > 0, after_ms > 0);
        QTest::qWait(50);
        QVERIFY(m_fake->requests().size() <= 1);
    }

    void stop_and_delete_from_within_a_listener_are_safe()
    {
        WireModel model(options());
        m_fake->always(QStringLiteral("tokens=200"));
        Listener stopped(model.start(ask()));
        connect(stopped.generation(), &Generation::text, &stopped, [&] { stopped.generation()->stop(); });
        stopped.wait();
        QCOMPARE(stopped.deltas.size(), 1);
        QCOMPARE(stopped.end->finishReason, QStringLiteral("stopped"));
        Listener deleted(model.start(ask()));
        connect(deleted.generation(), &Generation::text, &deleted, [&] { delete deleted.generation(); });
        deleted.wait();
        QCOMPARE(deleted.deltas.size(), 1);
        QCOMPARE(deleted.ends, 0);
        QTRY_COMPARE(model.running(), 0);
    }

    void the_model_can_go_while_generations_run()
    {
        auto model = std::make_unique<WireModel>(options());
        m_fake->always(QStringLiteral("tokens=1000 pace=10"));
        Listener running(model->start(ask()));
        QTRY_VERIFY(!running.deltas.isEmpty());
        m_fake->always(QString());
        Listener done(model->start(ask()));
        QTRY_COMPARE(done.ends, 1);
        model.reset();
        QTest::qWait(50);
        QCOMPARE(running.ends, 0);
    }

    void cuts_a_reply_without_end_at_its_limit()
    {
        WireOptions small = options();
        small.maxReplyBytes = 1001; // a smiley has 4 bytes
        WireModel model(small);
        m_fake->always(QStringLiteral("endless say=😀😀😀"));
        Listener listener(model.start(ask()));
        listener.wait();
        QCOMPARE(listener.end->finishReason, QStringLiteral("length"));
        QCOMPARE(listener.end->text.toUtf8().size(), 1000);
        QCOMPARE(listener.text(), listener.end->text);
        QVERIFY(listener.end->usageEstimated);
        QTRY_COMPARE(m_fake->running(), 0);
    }

    void serves_many_at_once()
    {
        WireModel model(options());
        m_fake->always(QStringLiteral("barrier=60 tokens=3"));
        std::vector<std::unique_ptr<Listener>> listeners;
        for (int i = 0; i < 60; ++i)
            listeners.push_back(std::make_unique<Listener>(model.start(ask())));
        for (auto &listener : listeners)
            QVERIFY(listener->wait().end);
        QVERIFY(m_fake->peak() >= 60);
    }

    void queues_beyond_its_connections_by_priority()
    {
        WireOptions narrow = options();
        narrow.connections = 6;
        WireModel model(narrow);
        m_fake->always(QStringLiteral("barrier=100 tokens=1"));
        QStringList order;
        std::vector<std::unique_ptr<Listener>> listeners;
        const auto start = [&](const QString &who, int priority) {
            Request request = ask(who);
            request.priority = priority;
            listeners.push_back(std::make_unique<Listener>(model.start(request)));
        };
        for (int i = 0; i < 6; ++i)
            start(QStringLiteral("first"), 0);
        QTRY_COMPARE(m_fake->held(), 6);
        for (const auto &[who, priority] : {std::pair{"free 1", 0}, {"free 2", 0}, {"vip", 2}, {"premium", 1}})
            start(QString::fromUtf8(who), priority);
        QTRY_COMPARE(model.waiting(), 4);
        QCOMPARE(m_fake->requests().size(), 6);
        listeners[0]->generation()->stop(); // four places come free one after another
        for (int i = 1; i < 4; ++i) {
            QTRY_COMPARE(m_fake->requests().size(), 6 + i);
            listeners[i]->generation()->stop();
        }
        QTRY_COMPARE(m_fake->requests().size(), 10);
        for (const auto &seen : m_fake->requests().mid(6))
            order << seen.json()[QLatin1StringView("messages")][1][QLatin1StringView("content")].toString();
        QCOMPARE(order,
                 (QStringList{QStringLiteral("vip"), QStringLiteral("premium"), QStringLiteral("free 1"),
                              QStringLiteral("free 2")}));
        m_fake->release();
        for (auto &listener : listeners)
            listener->wait();
        QTRY_COMPARE(model.running(), 0);
    }

    void is_overloaded_when_no_connection_comes_free()
    {
        WireOptions narrow = options();
        narrow.connections = 6;
        narrow.queue = 200ms;
        WireModel model(narrow);
        m_fake->always(QStringLiteral("barrier=100"));
        std::vector<std::unique_ptr<Listener>> listeners;
        for (int i = 0; i < 6; ++i)
            listeners.push_back(std::make_unique<Listener>(model.start(ask())));
        QTRY_COMPARE(m_fake->held(), 6);
        Listener seventh(model.start(ask()));
        seventh.wait();
        QCOMPARE(seventh.end.error().code, ErrorCode::Overloaded);
        QVERIFY(seventh.end.error().retryAfter_s);
        QCOMPARE(m_fake->requests().size(), 6);
    }

    void health_tells_degraded_and_down_and_recovers()
    {
        WireOptions quick = options();
        quick.attempts = 1;
        quick.degradedAfter = 2;
        quick.downAfter = 3;
        WireModel model(quick);
        m_fake->always(QStringLiteral("status=500"));
        for (const char *state : {"ok", "degraded", "down"}) {
            Listener(model.start(ask())).wait();
            QCOMPARE(model.health().first, QString::fromUtf8(state));
        }
        m_fake->always(QStringLiteral("status=400")); // our request, not its health
        Listener(model.start(ask())).wait();
        QVERIFY(model.health().second.contains(QStringLiteral("3 failures in a row, the last: HTTP 500")));
        m_fake->always(QString());
        Listener(model.start(ask())).wait();
        QCOMPARE(model.health().first, QStringLiteral("ok"));
    }

    void never_logs_the_key_or_the_conversation()
    {
        logged.clear();
        const auto before = qInstallMessageHandler(keepLog);
        QList<Refusal> refusals;
        for (const char *script :
             {"status=401 say=bad key sk-very-secret given, you said zebra", "status=500 say=zebra",
              "error=0 say=zebra sk-very-secret", "drop", "garbage=html"}) {
            WireModel model(options());
            m_fake->always(QString::fromUtf8(script));
            Listener listener(model.start(ask(QStringLiteral("zebra"))));
            listener.wait();
            refusals << listener.end.error();
        }
        qInstallMessageHandler(before);
        QVERIFY(!logged.isEmpty());
        for (const Refusal &refusal : refusals)
            logged << refusal.log << refusal.detail;
        QVERIFY2(!logged.join(u' ').contains(QStringLiteral("secret")), qPrintable(logged.join(u'\n')));
        QVERIFY2(logged.filter(QStringLiteral("zebra")).size() <= 2,
                 qPrintable(logged.join(u'\n'))); // only the 401's own words
    }

    void reuses_its_connections()
    {
        WireModel model(options());
        QSet<QString> ports;
        for (int i = 0; i < 5; ++i) {
            QVERIFY(Listener(model.start(ask())).wait().end);
            QTRY_COMPARE(model.running(), 0);
        }
        QCOMPARE(m_fake->connections(), 1);
    }
};

QTEST_GUILESS_MAIN(WireModelTest)
#include "tst_WireModel.moc"
