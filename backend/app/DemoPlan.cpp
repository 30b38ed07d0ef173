#include "app/DemoPlan.h"

#include <algorithm>
#include <array>
#include <random>

namespace companion::app {

using namespace Qt::StringLiterals;

namespace {

constexpr std::array names{
    u"Amelia Brandt",  u"Noah Fischer",  u"Sofia Marino",  u"Liam Carter",   u"Yuki Tanaka",  u"Mateo Rojas",
    u"Emma Lindqvist", u"Omar Haddad",   u"Priya Nair",    u"Lucas Moreau",  u"Hannah Weiss", u"Diego Alvarez",
    u"Chloe Martin",   u"Arjun Mehta",   u"Isabel Duarte", u"Tom Becker",    u"Mina Park",    u"Jonas Keller",
    u"Elena Petrova",  u"Samuel Osei",   u"Laura Jensen",  u"Kenji Mori",    u"Fatima Zahra", u"Daniel Novak",
    u"Grace Okafor",   u"Pablo Herrera", u"Ines Carvalho", u"Max Vogel",     u"Aiko Sato",    u"Ravi Shah",
    u"Julia Roth",     u"Peter Nagy",    u"Nora Haugen",   u"Carlos Mendes", u"Leila Amiri",  u"Ben Walsh",
    u"Marta Kowalska", u"Henrik Dahl",   u"Olivia Grant",  u"Tariq Aziz",    u"Lea Dubois",   u"Simon Wirth",
    u"Camila Torres",  u"Viktor Horvat", u"Anna Bianchi",  u"George Lam",    u"Rosa Jimenez", u"Felix Arnold",
};

constexpr std::array regions{u"US", u"DE", u"GB", u"ES", u"JP", u"FR", u"BR", u"SE", u"IN", u"AT"};

constexpr std::array lines{
    u"Hi! How is your evening going?",
    u"I had a long day at work and my manager kept changing the plan.",
    u"What should I cook tonight? I have rice, eggs and spinach.",
    u"I'm thinking of learning the guitar. Is it too late at 34?",
    u"Tell me something you find beautiful.",
    u"My sister is getting married in June and I have to give a speech.",
    u"I can't sleep. Talk to me for a while?",
    u"What kind of music do you like?",
    u"I finally finished my first 10 km run today!",
    u"Do you remember what I told you about my job?",
    u"I feel a bit lonely in this new city.",
    u"Help me plan a quiet weekend.",
    u"Are you a real person?",
    u"I'm nervous about a job interview on Friday.",
    u"Recommend me a film for a rainy Sunday.",
    u"My cat knocked over the plant again.",
    u"What would you do with a free afternoon?",
    u"I want to write a short story. How do I begin?",
    u"Good morning! Coffee first, then the world.",
    u"I argued with my best friend and I don't know how to fix it.",
    u"Teach me a word in another language.",
    u"I baked bread for the first time and it worked.",
    u"Thanks for listening. Good night.",
    u"What makes a good conversation, do you think?",
};

constexpr std::array flirts{
    u"You look dangerous tonight. Should I be worried?",
    u"Tell me what you would wear on our date.",
    u"I missed your voice today.",
    u"Come closer and tell me a secret.",
};

class Planner
{
public:
    Planner(quint32 seed, const QDateTime &now, int days, int characters)
        : m_random(seed)
        , m_now(now)
        , m_firstDay(now.date().addDays(1 - days))
        , m_days(days)
        , m_characters(characters)
    {
    }

    DemoPlan plan()
    {
        for (int user = 0; user < static_cast<int>(names.size()); ++user)
            live(user);
        goWrong();
        for (int day = 1; day < m_days; ++day)
            add({m_firstDay.addDays(day), QTime(0, 10), Qt::UTC}, 0, DemoMidnight());
        std::ranges::stable_sort(m_plan.events, {}, &DemoEvent::at);
        return m_plan;
    }

private:
    double chance() { return std::uniform_real_distribution<>(0, 1)(m_random); }
    int below(int limit) { return std::uniform_int_distribution<>(0, limit - 1)(m_random); }

    QDateTime moment(int day)
    {
        // Most people come in the evening.
        const int hour = chance() < 0.6 ? 17 + below(6) : 6 + below(11);
        return {m_firstDay.addDays(day), QTime(hour, below(60), below(60), below(1000)), Qt::UTC};
    }

    void add(const QDateTime &at, int user, decltype(DemoEvent::what) what)
    {
        if (at < m_now)
            m_plan.events.append({at, user, std::move(what)});
    }

    DemoUser someone(int index)
    {
        const QString name = QString::fromUtf16(names.at(static_cast<size_t>(index)));
        const QString region = QString::fromUtf16(regions.at(static_cast<size_t>(below(regions.size()))));
        QString local = name.toLower();
        local.replace(u' ', u'.');
        static const QHash<QString, QString> locales{{u"DE"_s, u"de"_s}, {u"AT"_s, u"de"_s}, {u"ES"_s, u"es"_s}};
        return {.name = name,
                .email = local + u"@example.com"_s,
                .region = region,
                .locale = locales.value(region, u"en"_s),
                .ageVerified = chance() < 0.45};
    }

    // A life: joins on some day, then comes with a constancy of their own; some pay.
    void live(int user)
    {
        m_plan.users.append(someone(user));
        const bool pays = chance() < 0.25;
        const int joinDay = below(std::max(1, m_days * 4 / 5));
        const double constancy = 0.15 + 0.55 * chance();
        const QDateTime joined = moment(joinDay);
        if (joined >= m_now)
            return join(user, m_now.addSecs(-7200));
        join(user, joined);
        int nextRenewal = pays ? joinDay + 1 + below(6) : m_days;
        const Tier tier = chance() < 0.25 ? Tier::Vip : Tier::Premium;
        for (int day = joinDay; day < m_days; ++day) {
            if (day == nextRenewal) { // the sandbox renews it from then on
                add(moment(day), user, DemoSubscription{tier});
                changeMind(user, day, tier);
                nextRenewal += 30;
            }
            if (day > joinDay && chance() < (pays ? 0.08 : 0.016))
                add(moment(day), user, DemoPurchase{m_purchases++, product()});
            if (day == joinDay || chance() < constancy)
                talk(user, day, pays && m_plan.users[user].ageVerified && day > nextRenewal - 29);
        }
    }

    // Some who subscribe raise or lower their tier after a while, and some leave.
    void changeMind(int user, int day, Tier tier)
    {
        const QDateTime later = moment(day + 4 + below(9));
        const int subscriber = m_subscribers++;
        if (subscriber % 4 == 1)
            add(later, user, DemoSubscription{tier == Tier::Vip ? Tier::Premium : Tier::Vip});
        else if (subscriber % 4 == 2)
            add(later, user, DemoCancellation());
    }

    // What happens to some of the purchases, by their place among all of them, so that each fate occurs.
    void goWrong()
    {
        std::ranges::stable_sort(m_plan.events, {}, &DemoEvent::at);
        QList<DemoEvent> purchases;
        for (DemoEvent &event : m_plan.events)
            if (auto *purchase = std::get_if<DemoPurchase>(&event.what)) {
                if (purchases.size() % 9 == 4)
                    purchase->fate = DemoPurchase::Fate::Declined;
                else if (purchases.size() % 17 == 11)
                    purchase->fate = DemoPurchase::Fate::WebhookLost;
                purchases.append(event);
            }
        for (int i = 0; i < purchases.size(); ++i)
            if (std::get<DemoPurchase>(purchases.at(i).what).fate == DemoPurchase::Fate::Paid)
                regret(purchases.at(i), i);
    }

    void regret(const DemoEvent &bought, int place)
    {
        const int number = std::get<DemoPurchase>(bought.what).number;
        const auto after = [&](int hours, decltype(DemoEvent::what) what) {
            add(bought.at.addSecs(3600LL * hours + 60 * below(50)), bought.user, std::move(what));
        };
        switch (place % 8) {
        case 1:
            after(26, DemoRefund{number, u"0.50"_s, u"Goodwill after slow replies on that evening"_s});
            break;
        case 3:
            after(40, DemoRefund{number, {}, u"Bought twice by mistake"_s});
            break;
        case 5:
            after(90, DemoDispute{number});
            after(220, DemoVerdict{number, place % 16 == 5});
            break;
        case 6:
            after(5, DemoSpree());
            after(30, DemoRefund{number, {}, u"Asked within the withdrawal period"_s});
            break;
        case 7:
            if (place % 16 == 15)
                after(60, DemoDispute{number}); // still open
            break;
        default:
            break;
        }
    }

    void join(int user, const QDateTime &at)
    {
        m_plan.events.append({at, user, DemoSignUp()});
        m_joined = at;
    }

    QString product()
    {
        static constexpr std::array products{u"starter", u"starter", u"popular", u"popular", u"best_value", u"whale"};
        return QString::fromUtf16(products.at(static_cast<size_t>(below(products.size()))));
    }

    void talk(int user, int day, bool mayFlirt)
    {
        QDateTime at = std::max(moment(day), m_joined.addSecs(90));
        const int character = chance() < 0.7 ? user % m_characters : below(m_characters);
        const Mode mode = mayFlirt && chance() < 0.3 ? Mode::Spicy : Mode::Normal;
        for (int turn = 1 + below(4); turn > 0; --turn) {
            at = at.addSecs(40 + below(150));
            add(at, user, DemoChat{character, mode, line(mode)});
        }
    }

    QString line(Mode mode)
    {
        if (mode == Mode::Spicy && chance() < 0.6)
            return QString::fromUtf16(flirts.at(static_cast<size_t>(below(flirts.size()))));
        return QString::fromUtf16(lines.at(static_cast<size_t>(below(lines.size()))));
    }

    std::mt19937 m_random;
    const QDateTime m_now;
    const QDate m_firstDay;
    const int m_days;
    const int m_characters;
    QDateTime m_joined;
    int m_purchases = 0;
    int m_subscribers = 0;
    DemoPlan m_plan;
};

} // namespace

DemoPlan makeDemoPlan(quint32 seed, const QDateTime &now, int days, int characters)
{
    return Planner(seed, now, days, characters).plan();
}

} // namespace companion::app
