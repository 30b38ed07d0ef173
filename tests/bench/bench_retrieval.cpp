// What a recollection takes with the built-in embedder and PostgreSQL: a user with many memories, warm and cold.
//   bench_retrieval [MEMORIES 50000] [QUESTIONS 200] [COLD 20]

#include "bench/support/Figures.h"
#include "memory/MemoryService.h"
#include "memory/embedders/WordVectors.h"
#include "support/TestDatabase.h"

#include <QElapsedTimer>
#include <random>

using namespace companion;
using namespace companion::memory;
using namespace Qt::StringLiterals;

namespace {

// Sentences of words that the embedder knows, some of them rare: what people say of their days.
QString sentence(std::mt19937 &random)
{
    static const QStringList words = u"parrot window garden sister hospital train violin berlin winter coffee teacher "
                                     "painting marathon dentist birthday guitar mountain kitchen doctor holiday beach "
                                     "museum lawyer engine puppy wedding cinema library bicycle thunder pancake river "
                                     "castle robot island camera candle forest market lemon"_s.split(u' ');
    static const QStringList frames{u"Yesterday my %1 and the %2 made me think of a %3"_s,
                                    u"I bought a %1 for the %2, but the %3 was closed"_s,
                                    u"Do you remember the %1 near the %2 with the %3?"_s,
                                    u"We went to the %1 last Friday; %2 and %3 were great"_s};
    const auto word = [&] { return words[qsizetype(random() % size_t(words.size()))]; };
    return QString(frames[qsizetype(random() % size_t(frames.size()))].arg(word(), word(), word())
                   + u" %1"_s.arg(random() % 5000));
}

} // namespace

int main(int argc, char **argv)
{
    QCoreApplication app(argc, argv);
    const int memories = int(bench::argument(1, 50'000));
    const int questions = int(bench::argument(2, 200));
    const int cold = int(bench::argument(3, 20));
    test::TestDatabase database;
    Spaces spaces(WordVectors::builtIn());
    const MemoryTerms terms{.cache_bytes = size_t(1) << 30,
                            .tokensOf = [](QStringView text) { return int(text.size() / 4) + 1; }};
    const MemoryService service(spaces, terms);
    const MemoryStore &store = service.store();
    const UserId user = UserId::create();
    const CharacterId character = CharacterId::create();
    database.owner().script(
        u"INSERT INTO users (id, display_name, created_at) VALUES ('%1', 'Ada', now())"_s.arg(user.toString()));

    std::mt19937 random(7);
    SessionId session;
    const QDateTime start = database.clock().now().addYears(-1);
    for (int i = 0; i < memories;) {
        db::Transaction transaction(database.operators());
        const qint64 revision = store.touch(database.operators(), user, false);
        std::vector<StoredVector> vectors;
        for (int k = 0; k < 1000 && i < memories; ++k, ++i) {
            if (i % 40 == 0)
                session = SessionId::create();
            const QString text = sentence(random);
            const QDateTime at = start.addSecs(i * 600LL);
            const MessageToNote message{.id = MessageId::create(),
                                        .user = user,
                                        .session = session,
                                        .character = character,
                                        .role = i % 2 ? MessageRole::Assistant : MessageRole::User,
                                        .mode = Mode::Normal,
                                        .text = text,
                                        .saidAt = at};
            store.insert(database.operators(), message, encode(digestOf(text, at.date())), revision);
            vectors.push_back({MemoryId(message.id.uuid()), WordVectors::builtIn().embed(text)});
        }
        service.keep(database.operators(), user, spaces.target(), vectors, false);
        transaction.commit();
    }
    database.owner().script(u"ANALYZE memories; ANALYZE memory_vectors"_s);

    const auto ask = [&](const MemoryService &asked) {
        const RecallOrder order{.user = user,
                                .character = character,
                                .session = SessionId::create(),
                                .text = sentence(random),
                                .userName = u"Ada"_s,
                                .companionName = u"Aria"_s};
        QElapsedTimer took;
        took.start();
        const auto recollection = asked.recall(database.app(), order, std::nullopt);
        const double ms = double(took.nsecsElapsed()) / 1e6;
        if (recollection.memories.isEmpty() || recollection.degraded)
            qFatal("nothing was recalled");
        return ms;
    };
    QList<double> coldTimes, warmTimes;
    for (int i = 0; i < cold; ++i) {
        service.cache().clear();
        coldTimes.append(ask(service));
    }
    for (int i = 0; i < questions; ++i)
        warmTimes.append(ask(service));
    bench::printMachine();
    std::printf("%d memories of one user, %s, corpus of %.1f MB in process\n", memories,
                qPrintable(spaces.target().name()), double(service.cache().bytes()) / 1e6);
    std::printf("warm: median %.2f ms, p95 %.2f ms of %d recollections\n", bench::median(warmTimes),
                bench::percentile(warmTimes, 0.95), questions);
    std::printf("cold: median %.1f ms, p95 %.1f ms of %d, the user loaded from PostgreSQL each time\n",
                bench::median(coldTimes), bench::percentile(coldTimes, 0.95), cold);
    return 0;
}
