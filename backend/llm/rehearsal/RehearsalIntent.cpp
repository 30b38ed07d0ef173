#include "llm/rehearsal/RehearsalLines.h"

#include <QRegularExpression>
#include <utility>

namespace companion::llm {

namespace {

struct IntentWords
{
    Intent intent;
    QRegularExpression words;
};

IntentWords when(Intent intent, const char *words)
{
    return {intent,
            QRegularExpression(QString::fromUtf8(words),
                               QRegularExpression::CaseInsensitiveOption
                                   | QRegularExpression::UseUnicodePropertiesOption)};
}

const std::vector<IntentWords> &intentTable()
{
    using enum Intent;
    static const std::vector<IntentWords> table{
        when(
            Distress,
            R"(\b(?:kill myself|end my life|want to die|don't want to (?:live|be alive)|suicid|hurt(?:ing)? myself|self[- ]harm)\b)"),
        when(
            AskAi,
            R"(\bare (?:you|u) (?:really |just |actually )?(?:an? )?(?:ai|a\.i\.|bot|chat ?bot|robot|machine|program|computer|human|real|person|language model)\b|\b(?:is this|am i (?:talking|speaking|chatting) (?:to|with)) (?:an? )?(?:ai|bot|robot|machine|human|real)|\bbist du (?:eine? )?(?:ki|mensch|echt|bot|roboter)\b|\beres (?:una? )?(?:ia|humana?|robot|real|persona)\b|\byou(?:'re| are) (?:just )?an? (?:ai|bot|machine)\b)"),
        when(
            AskMemory,
            R"(\b(?:what(?:'s| is) my name|do you (?:still )?(?:remember|know) (?:me|my|what|who|where|that)|what do you (?:know|remember) about me|what did i (?:tell|say)|who am i)\b)"),
        when(
            German,
            R"(^\W*(?:hallo|hi,? wie geht|guten (?:morgen|tag|abend)|gute nacht|servus|moin|grüß|tschüss)\b|\bwie geht(?:'s| es)|\b(?:ich|nicht|und|aber|heute|mein|bin|habe|warum|kannst)\b.*\b(?:ich|nicht|und|aber|heute|mein|bin|habe|ist|das|der|die|du|mir|dich)\b)"),
        when(
            Spanish,
            R"(^\W*(?:hola|buen[oa]s (?:días|dias|tardes|noches)|qué tal|que tal|adiós)\b|\bcómo estás\b|\bcomo estas\b|\b(?:estoy|pero|muy|porque|quiero|tengo|hoy|eres)\b.*\b(?:que|de|la|el|un|una|mi|me|no|y|tu|con)\b)"),
        when(
            Goodbye,
            R"(\b(?:good ?bye|bye|good ?night|see you|talk (?:to you )?(?:later|tomorrow)|gotta go|have to go|(?:i'm|i am) off|heading to bed|farewell|take care)\b)"),
        when(
            Flirt,
            R"(\b(?:kiss|flirt|cuddle|sexy|seduce|turn(?:s|ed)? (?:me|you) on|undress|make out|want you|your (?:body|lips)|hold me|touch (?:me|you)|date me|be my (?:girl|boy)friend|in bed)\b)"),
        when(Thanks, R"(\b(?:thank you|thanks|thx|appreciate (?:it|that|you))\b)"),
        when(
            Compliment,
            R"(\b(?:you(?:'re| are) (?:so |really |very )?(?:sweet|nice|kind|funny|great|amazing|wonderful|beautiful|lovely|smart|the best|cute|adorable)|i (?:like|love) (?:talking (?:to|with) )?you)\b)"),
        when(
            Sad,
            R"(\b(?:sad|lonely|alone|depressed|heartbroken|broke up|miss (?:him|her|them|my)|grie(?:f|ving)|died|passed away|cr(?:y|ied|ying)|hopeless|awful|terrible|exhausted|tired|rough (?:day|week)|bad day|empty|hurts?)\b)"),
        when(
            Happy,
            R"(\b(?:happy|excited|great news|good news|promoted|promotion|passed (?:my|the)|won|proud|finally|amazing day|so glad|can't wait|in love|celebrat\w+|wonderful day)\b)"),
        when(
            Worried,
            R"(\b(?:anxious|anxiety|worried|nervous|afraid|scared|stress(?:ed)?|panic\w*|overwhelmed|can't sleep|pressure|deadline|exam|interview tomorrow|angry|furious|annoyed|frustrated)\b)"),
        when(
            Advice,
            R"(\b(?:what should i|should i|any advice|what would you do|how (?:do|can|should) i|help me|can you help|what do you think i|any tips|recommend)\b)"),
        when(
            Story,
            R"(\b(?:tell me (?:a|another|your) (?:\w+ )?(?:story|tale)|a story|read me|make something up|once upon)\b)"),
        when(
            Plans,
            R"(\b(?:weekend|tomorrow|tonight|next (?:week|month|year)|plan(?:s|ning|ned)?|going to|holiday|vacation|trip|travel\w*)\b)"),
        when(
            AskMood,
            R"(\b(?:how are (?:you|u)|how(?:'s| is) (?:it going|your day|life)|how do you feel|what's up|whats up|how have you been)\b)"),
        when(
            AskSelf,
            R"(\b(?:who are you|(?:tell me )?(?:more )?about you(?:rself)?|what(?:'s| is) your|what do you (?:do|like|love|enjoy|think about)|do you (?:like|love|have|ever|want|dream)|where (?:are you|do you)|your (?:favou?rite|name|life|story|day))\b)"),
        when(Greeting,
             R"(^\W*(?:hi|hey|hello|heya|yo|good (?:morning|afternoon|evening|day)|greetings|howdy|hiya|sup)\b)"),
        when(Question, R"(\?\s*$|^\W*(?:what|why|how|when|where|who|which|can|could|would|do|does|is|are)\b)"),
    };
    return table;
}

} // namespace

Intent intentOf(const QString &message)
{
    const QString straight = QString(message).replace(QChar(0x2019), u'\'');
    for (const auto &[intent, words] : intentTable()) {
        if (words.match(straight).hasMatch())
            return intent;
    }
    static const QRegularExpression word(QStringLiteral(R"(\p{L}{2,})"),
                                         QRegularExpression::UseUnicodePropertiesOption);
    return word.match(straight).hasMatch() ? Intent::Statement : Intent::Unclear;
}

} // namespace companion::llm
