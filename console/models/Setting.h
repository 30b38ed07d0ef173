#pragma once

#include <QSettings>

namespace companion::console {

// One remembered choice with its type and default: Setting<QString> server("connection/server", "http://…").
// Never a secret: those are in the keyring.
template <class T>
class Setting
{
public:
    Setting(QSettings &store, const char *key, T fallback = {})
        : m_store(&store)
        , m_key(QString::fromLatin1(key))
        , m_fallback(std::move(fallback))
    {
    }
    T value() const
    {
        if constexpr (std::is_enum_v<T>)
            return static_cast<T>(m_store->value(m_key, static_cast<int>(m_fallback)).toInt());
        else
            return m_store->value(m_key, QVariant::fromValue(m_fallback)).template value<T>();
    }
    void set(const T &value)
    {
        if constexpr (std::is_enum_v<T>)
            m_store->setValue(m_key, static_cast<int>(value));
        else
            m_store->setValue(m_key, QVariant::fromValue(value));
    }

private:
    QSettings *m_store;
    QString m_key;
    T m_fallback;
};

} // namespace companion::console
