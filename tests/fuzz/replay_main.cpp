// Runs a fuzz target without libFuzzer: every file of its corpus, then mutations of them for a while.
//   fuzz_NAME_replay CORPUS [FILE…]
// COMPANION_FUZZ_SECONDS: how long to mutate (default 1; 0: only the corpus). COMPANION_FUZZ_SEED: where to begin.
#include "Fuzz.h"

#include <QDir>
#include <QFile>
#include <chrono>
#include <csignal>
#include <fcntl.h>
#include <random>
#include <unistd.h>

namespace {

QByteArray current; // what the target was given; the handler keeps it when the process ends by it

void keepInput(int signal)
{
    const int fd = ::open("fuzz-crash", O_WRONLY | O_CREAT | O_TRUNC, 0644);
    if (fd >= 0)
        (void)!::write(fd, current.constData(), size_t(current.size()));
    static const char said[] = "the input is in ./fuzz-crash\n";
    (void)!::write(2, said, sizeof said - 1);
    std::signal(signal, SIG_DFL);
    std::raise(signal);
}

void run(const QByteArray &input)
{
    current = input;
    LLVMFuzzerTestOneInput(reinterpret_cast<const std::uint8_t *>(current.constData()), std::size_t(current.size()));
}

QByteArray contentOf(const QString &path)
{
    QFile file(path);
    if (!file.open(QIODevice::ReadOnly))
        qFatal("cannot read %s", qPrintable(path));
    return file.readAll();
}

class Mutator
{
public:
    explicit Mutator(unsigned seed)
        : m_random(seed)
    {
    }
    QByteArray mutated(const QList<QByteArray> &seeds)
    {
        auto bytes = seeds.at(below(seeds.size()));
        for (auto times = 1 + below(6); times > 0; --times)
            mutateOnce(bytes, seeds);
        return bytes;
    }

private:
    qsizetype below(qsizetype bound) { return qsizetype(m_random() % std::size_t(bound)); }
    void mutateOnce(QByteArray &bytes, const QList<QByteArray> &seeds)
    {
        static const QList<QByteArray> words{"\r\n",
                                             "\n",
                                             "\r",
                                             QByteArray(1, '\0'),
                                             ":",
                                             ",",
                                             ";",
                                             "\"",
                                             "\\",
                                             "{",
                                             "}",
                                             "[",
                                             "]",
                                             "null",
                                             "-1",
                                             "1e308",
                                             "0",
                                             "\xff",
                                             "\xed\xa0\x80",
                                             "\\u0000",
                                             "\\ud800",
                                             "9223372036854775808",
                                             "%00",
                                             "..",
                                             "=",
                                             "true"};
        const auto at = below(bytes.size() + 1);
        switch (below(7)) {
        case 0:
            if (at < bytes.size())
                bytes[at] = char(m_random());
            break;
        case 1:
            if (at < bytes.size())
                bytes[at] = char(bytes[at] ^ (1 << below(8)));
            break;
        case 2:
            bytes.insert(at, words.at(below(words.size())));
            break;
        case 3:
            bytes.remove(at, 1 + below(8));
            break;
        case 4: {
            const auto length = 1 + below(32);
            bytes.insert(at, bytes.mid(below(bytes.size() + 1), length));
            break;
        }
        case 5: {
            const auto &other = seeds.at(below(seeds.size()));
            bytes = bytes.first(at) + other.mid(below(other.size() + 1));
            break;
        }
        default:
            bytes.truncate(at);
        }
        bytes.truncate(16 * 1024);
    }
    std::mt19937 m_random;
};

int environment(const char *name, int otherwise)
{
    bool ok = false;
    const int value = qEnvironmentVariableIntValue(name, &ok);
    return ok ? value : otherwise;
}

} // namespace

int main(int argc, char **argv)
{
    for (const int signal : {SIGABRT, SIGSEGV, SIGBUS, SIGFPE, SIGILL})
        std::signal(signal, keepInput);
    QList<QByteArray> seeds{QByteArray()};
    for (int i = 1; i < argc; ++i) {
        const QString path = QString::fromLocal8Bit(argv[i]);
        if (QDir(path).exists())
            for (const auto &file : QDir(path).entryInfoList(QDir::Files, QDir::Name))
                seeds.append(contentOf(file.filePath()));
        else
            seeds.append(contentOf(path));
    }
    if (argc > 1 && seeds.size() < 2)
        qFatal("the corpus is empty");
    for (const auto &seed : std::as_const(seeds))
        run(seed);
    const auto seconds = environment("COMPANION_FUZZ_SECONDS", 1);
    Mutator mutator(unsigned(environment("COMPANION_FUZZ_SEED", 1)));
    qint64 executions = seeds.size();
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(seconds);
    while (seconds > 0 && std::chrono::steady_clock::now() < end)
        for (int i = 0; i < 16; ++i, ++executions)
            run(mutator.mutated(seeds));
    std::printf("%lld inputs of the corpus, %lld executions\n", static_cast<long long>(seeds.size() - 1),
                static_cast<long long>(executions));
    return 0;
}
