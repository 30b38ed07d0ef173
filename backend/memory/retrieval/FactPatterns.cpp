#include "memory/retrieval/FactPatterns.h"

#include <QSet>

namespace companion::memory {

namespace {

using Check = FactPattern::Check;
using K = FactKind;

constexpr auto relations =
    "mother|mom|mum|mommy|father|dad|sister|brother|son|daughter|wife|husband|girlfriend|boyfriend|partner|fianc[eé]e?|"
    "grandmother|grandma|granny|grandfather|grandpa|aunt|uncle|cousin|niece|nephew|best "
    "friend|friend|roommate|flatmate|boss|"
    "twin sister|twin brother|ex|baby|kid";
constexpr auto animals = "dog|cat|puppy|kitten|hamster|rabbit|bunny|parrot|horse|turtle|tortoise|goldfish|guinea "
                         "pig|lizard|snake|ferret|bird";

// What the expressions are written with: %I the user, %R a relation, %A an animal, %V a value up to the end of its
// clause, %N a name, %a adverbs that change nothing.
QRegularExpression compiled(QString pattern)
{
    // The words are those of a running sentence: "The Who" is a band.
    static const QString clauseEnd = QStringLiteral(
        "(?=\\s*(?:$|[,.!;:()\\n]|\\s[-–—]|(?-i:\\b(?:and|but|because|cause|cuz|so|since|when|while|which|who|where|"
        "although|though|if|for now|for (?:a|an|the|\\w+) (?:while|living|years?|months?|weeks?)|now|too|as well|"
        "anymore|any more|these days|right now|at the moment|currently|lately|again|with|btw|lol|sadly|unfortunately|"
        "luckily|aber|und|weil|mit|denn|pero|y|porque|con|que)\\b)))");
    pattern.replace(QStringLiteral("%V"),
                    QString(QStringLiteral("(?<value>[^\\s,.!?;:()][^,.!?;:()\\n]{0,60}?)") + clauseEnd));
    pattern.replace(QStringLiteral("%N"),
                    QStringLiteral("(?<value>(?-i:\\p{Lu})[\\p{L}'-]+(?: (?-i:\\p{Lu})[\\p{L}'-]+)?)"));
    pattern.replace(QStringLiteral("%R"), QString(QStringLiteral("(?<who>%1)").arg(QLatin1StringView(relations))));
    pattern.replace(QStringLiteral("%A"), QString(QStringLiteral("(?<who>%1)").arg(QLatin1StringView(animals))));
    pattern.replace(QStringLiteral("%am"), QStringLiteral("(?:'m| am|m)"));
    pattern.replace(QStringLiteral("%a"),
                    QStringLiteral(
                        "(?:(?:really|also|currently|now|still|just|recently|actually|absolutely|finally|always|"
                        "totally|both|even|officially|do|only|mostly|honestly) )*"));
    QRegularExpression expression(pattern,
                                  QRegularExpression::CaseInsensitiveOption
                                      | QRegularExpression::UseUnicodePropertiesOption);
    expression.optimize();
    return expression;
}

class PatternList
{
public:
    FactPattern &add(K kind, const char *pattern, double confidence = 0.85, Check check = Check::None)
    {
        m_patterns.push_back({.kind = kind,
                              .expression = compiled(QString::fromUtf8(pattern)),
                              .confidence = confidence,
                              .check = check,
                              .ended = false,
                              .value = {},
                              .subject = {}});
        return m_patterns.back();
    }
    void addEnded(K kind, const char *pattern, Check check = Check::None)
    {
        add(kind, pattern, 0.85, check).ended = true;
    }
    void addFixed(K kind, const char *pattern, const char *value)
    {
        add(kind, pattern).value = QString::fromUtf8(value);
    }
    void addEndedOf(K kind, const char *subject, const char *pattern)
    {
        FactPattern &added = add(kind, pattern);
        added.ended = true;
        added.subject = QString::fromUtf8(subject);
    }
    std::vector<FactPattern> take() { return std::move(m_patterns); }

private:
    std::vector<FactPattern> m_patterns;
};

void addPerson(PatternList &list)
{
    list.add(K::Name,
             "\\bmy (?:first |full )?name(?:'s| is) (?!not\\b)(?<value>[\\p{L}'-]{2,}(?: (?-i:\\p{Lu})[\\p{L}'-]+)?)",
             0.95);
    list.add(K::Name, "(?<!they )(?<!people )\\b(?:you can |please |just )?call me %N", 0.9, Check::NameOf);
    list.add(K::Name, "\\bi go by %N", 0.85, Check::NameOf);
    list.add(K::Name, "^(?:hi|hello|hey)\\b[^.!?]{0,20}?\\bi%am %N(?=\\s*(?:$|[,.!]))", 0.8, Check::NameOf);
    list.add(K::Name, "\\bich heiße %N", 0.95, Check::NameOf);
    list.add(K::Name, "\\bmein name ist %N", 0.95, Check::NameOf);
    list.add(K::Name, "\\bme llamo %N", 0.95, Check::NameOf);
    list.add(K::Name, "\\bmi nombre es %N", 0.95, Check::NameOf);
    list.add(K::Age,
             "\\bi%am %a(?<value>\\d{1,3})(?=\\s*(?:$|[,.!;]|(?:btw|lol|years?[ -]old|yo|y/o|years of "
             "age)\\b|and\\b|now\\b))",
             0.9);
    list.add(K::Age, "\\bi %aturned (?<value>\\d{1,3})\\b", 0.9);
    list.add(K::Age, "\\bich bin (?<value>\\d{1,3}) jahre alt\\b", 0.9);
    list.add(K::Age, "\\btengo (?<value>\\d{1,3}) años\\b", 0.9);
    list.add(K::Age,
             "\\bmy (?:little |big |older |younger |elder |new |late )?%R(?: (?-i:\\p{Lu})\\p{L}+)? (?:is|turned|just "
             "turned) "
             "(?<value>\\d{1,3})(?=\\s*(?:$|[,.!;]|years?\\b|and\\b|now\\b))",
             0.8);
    list.add(K::Birthday, "\\bmy (?:birthday|bday)(?:'s| is) (?:on )?%V", 0.9, Check::Dated);
    list.add(K::Birthday, "\\bi was born (?:on|in) %V", 0.9, Check::Dated);
    list.add(K::Origin, "\\bi was born (?:and raised )?in %V", 0.85, Check::Place);
    list.add(K::Origin, "\\bi%am %a(?:originally )?from %V", 0.8, Check::Place);
    list.add(K::Origin, "\\bi (?:originally )?come from %V", 0.85, Check::Place);
    list.add(K::Origin, "\\bi grew up in %V", 0.8, Check::Place);
    list.add(K::Origin, "\\bich komme aus %V", 0.85, Check::Place);
    list.add(K::Origin, "\\b(?:yo )?soy de %V", 0.8, Check::Place);
    list.add(K::Language, "\\bi (?:can )?speak (?:fluent |some |a little |a bit of )?(?<value>(?-i:\\p{Lu})\\p{L}+)",
             0.8);
    list.add(K::Language, "\\bmy (?:native language|mother tongue) is (?<value>\\p{L}+)", 0.9);
}

void addHome(PatternList &list)
{
    list.add(K::Home, "\\b(?:i|we) %alive in %V", 0.9, Check::Place);
    list.add(K::Home, "\\b(?:i%am|we're|we are|i've been|i have been|we've been) %a(?:living|based) in %V", 0.9,
             Check::Place);
    list.add(K::Home, "\\b(?:i|we|i've|i have|we've) %a(?:moved|relocated) (?:back )?(?:from [^,.!?]{2,30} )?to %V",
             0.85, Check::Place);
    list.addEnded(K::Home, "\\b(?:i|we) (?:don't|do not|no longer) live in %V", Check::Place);
    list.addEnded(K::Home, "\\b(?:i|we) used to live in %V", Check::Place);
    list.addEnded(K::Home, "\\b(?:i|we) moved away from %V", Check::Place);
    list.add(K::Home,
             "\\bmy (?:little |big |older |younger |elder |new |late )?%R(?: (?-i:\\p{Lu})\\p{L}+)? %a(?:lives|is "
             "living|moved) (?:in|to) %V",
             0.8, Check::Place);
    list.add(K::Home, "\\bich (?:wohne|lebe) (?:jetzt |seit \\S+ )?in %V", 0.9, Check::Place);
    list.add(K::Home, "\\bich bin nach (?<value>(?-i:\\p{Lu})\\p{L}+(?: (?-i:\\p{Lu})\\p{L}+)?) (?:um)?gezogen", 0.85,
             Check::Place);
    list.add(K::Home, "\\bvivo en %V", 0.9, Check::Place);
    list.add(K::Home, "\\bme mudé a %V", 0.85, Check::Place);
}

void addWork(PatternList &list)
{
    list.add(K::Job, "\\bi%am %a(?:an? |the )%V", 0.8, Check::Occupation);
    list.add(K::Job,
             "\\bi(?:'m| am|'ve been| have been)? ?%a(?:work|working|started) (?:[\\w']+ ){0,5}?as (?:an? |the )?%V",
             0.9);
    list.add(K::Job, "\\bi %a(?:got|took|started|accepted) (?:an? |the )?(?:new )?(?:job|position) as (?:an? |the )?%V",
             0.85);
    list.add(K::Job, "\\bi %abecame (?:an? |the )%V", 0.75, Check::Occupation);
    list.addFixed(K::Job, "\\bi(?:%am| just) %aretired\\b", "retired");
    list.addFixed(K::Job, "\\bi%am %a(?:unemployed|out of work|between jobs)\\b", "unemployed");
    list.addFixed(K::Job, "\\bi%am %aself-employed\\b", "self-employed");
    list.addEnded(K::Job, "\\bi %a(?:quit|lost|left) my (?:old )?job\\b");
    list.addEnded(K::Workplace, "\\bi %a(?:quit|lost|left) my (?:old )?job\\b");
    list.addEnded(K::Job, "\\bi (?:got|was) (?:fired|laid off)\\b");
    list.addEnded(K::Workplace, "\\bi (?:got|was) (?:fired|laid off)\\b");
    list.addEnded(K::Workplace, "\\bi (?:don't|no longer) work (?:at|for) %V");
    list.add(K::Workplace, "\\bi(?:%am)? %awork(?:ing)? (?:at|for) %V", 0.8, Check::Place);
    list.add(
        K::Job,
        "\\bmy (?:little |big |older |younger |elder |new |late )?%R(?: (?-i:\\p{Lu})\\p{L}+)? (?:is|works as) an? %V",
        0.75, Check::Occupation);
    list.add(K::Study, "\\bi%am %astud(?:ying|ent of) (?!for\\b|hard\\b|all\\b|at\\b)%V", 0.8);
    list.add(K::Study, "\\bi %astudy (?!for\\b|hard\\b|all\\b|at\\b)%V", 0.8);
    list.add(K::Study, "\\bi%am %a(?:majoring|doing (?:my|a) (?:phd|master'?s?|bachelor'?s?|degree)) in %V", 0.9);
    list.add(K::Job, "\\bich arbeite als %V", 0.9);
    list.add(K::Workplace, "\\bich arbeite bei %V", 0.85);
    list.add(K::Study, "\\bich studiere %V", 0.85);
    list.add(K::Job, "\\btrabajo (?:como|de) %V", 0.9);
}

void addPeopleAndPets(PatternList &list)
{
    list.add(K::Relationship,
             "\\bi%am %a(?:happily |newly )?(?<value>single|married|divorced|engaged|widowed|separated|in a "
             "relationship)\\b",
             0.85);
    list.add(K::Relationship, "\\bi (?:just )?got (?<value>married|divorced|engaged)\\b", 0.85);
    list.addFixed(
        K::Relationship,
        "\\b(?:we|my (?:girlfriend|boyfriend|partner) and i|(?:he|she) and i) (?:just )?(?:broke|split) up\\b",
        "single");
    for (const char *relation : {"girlfriend", "boyfriend", "partner"})
        list.addEndedOf(
            K::Person, relation,
            "\\b(?:we|my (?:girlfriend|boyfriend|partner) and i|(?:he|she) and i) (?:just )?(?:broke|split) up\\b");
    list.add(K::Person,
             "\\bmy (?:little |big |older |younger |elder |new |late )?%R(?:'s name is| is called| is named|,| named| "
             "called)? %N",
             0.85, Check::NameOf);
    list.add(
        K::Person,
        "\\bi(?: have|'ve got) an? (?:little |big |older |younger |elder |new )?%R (?:named |called |who is called )%N",
        0.9, Check::NameOf);
    list.add(K::Person,
             "\\bi(?: have|'ve got) (?<value>(?:an?|one|two|three|four|five|six|\\d) (?:little |big |older |younger "
             "|elder )*(?<who>sister|brother|son|daughter|kid|child|girlfriend|boyfriend)(?:s|ren)?)\\b",
             0.8);
    list.add(K::Person,
             "\\bmeine? (?<who>schwester|bruder|mutter|vater|frau|mann|freund|freundin|sohn|tochter) heißt %N", 0.9,
             Check::NameOf);
    list.add(K::Person, "\\bmi (?<who>hermana|hermano|madre|padre|esposa|marido|novio|novia|hijo|hija) se llama %N",
             0.9, Check::NameOf);
    list.add(K::Pet, "\\b(?:my|our) (?:new |little |old )?%A(?:'s name is| is called| is named|,| named| called)? %N",
             0.85, Check::NameOf);
    list.add(
        K::Pet,
        "\\b(?:i|we)(?: have|'ve got| got| adopted| just got| just adopted| own) an? (?:\\w+ )?%A (?:named |called )%N",
        0.9, Check::NameOf);
    list.add(K::Pet,
             "\\b(?:i|we)(?: have|'ve got| own| adopted) (?<value>(?:an?|one|two|three|four|\\d) (?:\\w+ "
             ")?%A(?:s|es)?)\\b(?! (?:called|named|walking|sitting)\\b|,? (?:and )?(?:his|her|its|whose) name)",
             0.75);
    list.add(K::Pet,
             "\\b(?:i|we)(?: have|'ve got| got| adopted) an? (?:\\w+ )?%A,? (?:and )?(?:his|her|its|whose) name(?:'s| "
             "is) %N",
             0.9, Check::NameOf);
    list.addEnded(K::Pet, "\\b(?:my|our) %A(?: (?-i:\\p{Lu})\\p{L}+)? (?:died|passed away|has died|was put down)\\b");
    list.add(K::Pet, "\\bmein (?<who>hund|kater) heißt %N", 0.9, Check::NameOf);
    list.add(K::Pet, "\\bmi (?<who>perro|gato) se llama %N", 0.9, Check::NameOf);
}

void addTastes(PatternList &list)
{
    list.add(K::Likes, "\\bi %a(?:love|like|enjoy|adore) %V", 0.75, Check::Taste);
    list.add(K::Likes,
             "\\bi%am %a(?:so |very |quite |pretty |kind of |kinda )?(?:into|fond of|crazy about|obsessed with|an? "
             "(?:big |huge |massive )?fan of) %V",
             0.75, Check::Taste);
    list.add(K::Likes, "\\bmy favou?rite (?<who>\\p{L}+(?: \\p{L}+)?) (?:is|are|has always been) %V", 0.9,
             Check::Taste);
    list.add(K::Dislikes, "\\bi %a(?:hate|dislike|despise|loathe|detest|can't stand|cannot stand|can't bear) %V", 0.75,
             Check::Taste);
    list.add(K::Dislikes, "\\bi (?:really )?(?:don't|do not|never) (?:really |even )?(?:like|enjoy|love) %V", 0.75,
             Check::Taste);
    list.add(K::Dislikes, "\\bi%am not (?:really |that |much |very |so )?(?:into|fond of|an? (?:big |huge )?fan of) %V",
             0.75, Check::Taste);
    list.add(K::Likes, "\\bich (?:mag|liebe) (?!dich|es|das\\b)%V", 0.75, Check::Taste);
    list.add(K::Dislikes, "\\bno me gustan? %V", 0.75, Check::Taste);
    list.add(K::Likes, "(?<!no )\\bme (?:gustan?|encantan?) %V", 0.75, Check::Taste);
    list.add(K::Health, "\\bi%am %a(?<value>(?:severely |deathly )?allergic to [^,.!?;\\n]{2,40})", 0.9);
    list.add(K::Health,
             "\\bi%am %a(?:an? )?(?<value>vegan|vegetarian|pescatarian|pregnant|lactose "
             "intolerant|diabetic|celiac|asthmatic)\\b",
             0.9);
    list.add(K::Health,
             "\\bi (?:have|was diagnosed with|suffer from|got diagnosed with) (?<value>(?:type [12] "
             ")?(?:diabetes|asthma|adhd|anxiety|depression|migraines?|arthritis|epilepsy|insomnia|autism|ptsd|celiac "
             "disease|cancer))\\b",
             0.85);
    list.addEnded(K::Health, "\\bi%am (?:no longer|not) (?:an? )?(?<value>vegan|vegetarian|pescatarian|pregnant)\\b");
}

void addTimes(PatternList &list)
{
    list.add(K::Plan,
             "\\b(?:i|we)(?:'m| am|'re| are|m) (?:going to|gonna|planning to|planning on|about to) "
             "(?<value>[^,.!?;\\n]{3,80})",
             0.7, Check::Dated);
    list.add(K::Plan,
             "\\b(?:i|we)(?:'m| am|'re| are|m) (?<value>(?:flying|travell?ing|moving|starting|visiting|meeting|getting "
             "married|having surgery)[^,.!?;\\n]{0,80})",
             0.75, Check::Dated);
    list.add(K::Plan,
             "\\bi(?: have|'ve got) (?<value>an? (?:\\w+ "
             ")?(?:exam|test|interview|appointment|meeting|date|flight|concert|wedding|surgery|deadline|presentation|"
             "race|marathon)[^,.!?;\\n]{0,60})",
             0.8, Check::Dated);
    list.add(K::Event,
             "\\b(?:i|we) (?:just )?(?<value>(?:graduated|got (?:married|engaged|divorced|promoted|fired|laid "
             "off)|gave birth|bought an? (?:\\w+ )?(?:house|flat|apartment|car)|adopted an? \\w+|started (?:my|a) new "
             "job|broke up|ran (?:a|my first) marathon|won [^,.!?;\\n]{3,40})[^,.!?;\\n]{0,60})",
             0.75, Check::Dated);
    list.add(K::Event,
             "\\bmy (?<who>mother|mom|mum|father|dad|grandmother|grandma|grandfather|grandpa|sister|brother|dog|cat) "
             "(?<value>died|passed away)\\b",
             0.85);
    list.add(K::Possession, "\\bi (?:drive|own) an? %V", 0.75);
}

} // namespace

const std::vector<FactPattern> &factPatterns()
{
    static const std::vector<FactPattern> patterns = [] {
        PatternList list;
        addPerson(list);
        addHome(list);
        addWork(list);
        addPeopleAndPets(list);
        addTastes(list);
        addTimes(list);
        return list.take();
    }();
    return patterns;
}

bool isOccupation(const QString &words)
{
    static const QSet<QString> occupations = [] {
        const auto names = QStringLiteral("accountant actor actress analyst animator architect artist assistant "
                                          "astronaut author baker banker barber barista "
                                          "bartender biologist bookkeeper bricklayer builder butcher captain caregiver "
                                          "caretaker carpenter cashier chef chemist "
                                          "cleaner clerk coach comedian composer consultant contractor cook counselor "
                                          "counsellor courier curator dancer dentist "
                                          "designer detective developer dietitian director doctor driver economist "
                                          "editor electrician engineer entrepreneur farmer "
                                          "firefighter fisherman florist freelancer gardener geologist guard guide "
                                          "hairdresser historian housekeeper illustrator "
                                          "instructor interpreter janitor journalist judge laborer lawyer lecturer "
                                          "librarian lifeguard machinist magician manager "
                                          "marketer mathematician mechanic midwife model musician nanny neurologist "
                                          "notary nurse nutritionist officer optician "
                                          "painter paralegal paramedic pediatrician pharmacist photographer physician "
                                          "physicist physiotherapist pilot plumber "
                                          "poet politician principal producer professor programmer psychiatrist "
                                          "psychologist publisher realtor receptionist "
                                          "recruiter reporter researcher sailor salesman salesperson saleswoman "
                                          "scientist sculptor secretary singer socialworker "
                                          "soldier statistician stewardess streamer student surgeon surveyor tailor "
                                          "teacher technician therapist trader trainer "
                                          "translator tutor veterinarian vet waiter waitress welder writer worker "
                                          "agent attendant operator administrator")
                               .split(u' ');
        return QSet<QString>(names.begin(), names.end());
    }();
    return occupations.contains(words.section(u' ', -1).toLower());
}

} // namespace companion::memory
