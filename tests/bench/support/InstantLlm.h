#pragma once

#include <QtGlobal>
#include <thread>

namespace companion::bench {

// A provider on the OpenAI wire that answers every request at once with the same short stream, as light as one can be,
// so that what is measured is what stands before it. Own thread, POSIX only.
class InstantLlm
{
public:
    InstantLlm();
    ~InstantLlm();
    InstantLlm(const InstantLlm &) = delete;
    InstantLlm &operator=(const InstantLlm &) = delete;
    quint16 port() const { return m_port; }

private:
    void run();

    int m_listener = -1;
    int m_wake = -1;
    quint16 m_port = 0;
    std::thread m_thread;
};

} // namespace companion::bench
