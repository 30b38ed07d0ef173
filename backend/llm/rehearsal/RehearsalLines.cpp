#include "llm/rehearsal/RehearsalLines.h"

#include <initializer_list>

namespace companion::llm {

namespace {

QStringList list(std::initializer_list<const char *> lines)
{
    QStringList texts;
    for (const char *line : lines)
        texts.append(QString::fromUtf8(line));
    return texts;
}

QStringList greetings(Tone tone)
{
    switch (tone) {
    case Tone::Quiet:
        return list({"Hello. I was just watching the light change.", "You're here. Good. Sit with me a while.",
                     "Hello, {name}. It's quieter now that you've come, in a good way."});
    case Tone::Playful:
        return list({"Well, look who wandered in! I was this close to talking to the furniture.",
                     "Hey you. I saved you the good seat and only half of the snacks.",
                     "{name}! Perfect timing, I was about to win an argument with myself."});
    case Tone::Formal:
        return list({"Good day. It is a pleasure to have your company.",
                     "Welcome. I hope the day has treated you with courtesy.",
                     "Welcome back, {name}. I trust you are well."});
    case Tone::Bold:
        return list({"There you are! I've been itching for some good company.",
                     "Hey! Drop your bag, tell me everything.", "{name}! Finally. Now the evening can start."});
    case Tone::Warm:
        break;
    }
    return list({"Hi there, it's really good to hear from you.", "Hello! Come in, make yourself comfortable.",
                 "Hi {name}, I'm glad you're here."});
}

QStringList selfLines(const RehearsalPersona &persona)
{
    QStringList lines = list(
        {"I'm {me}, {role}. The rest is easier to find out than to be told.",
         "Give me {interest} and I forget the time. That tells you most of it.",
         "I'm {me}. I collect small things: overheard sentences, first lines of books, the way people say goodnight."});
    if (persona.tone == Tone::Formal)
        lines += list({"I am a person of habits, and a good conversation is the best of them."});
    if (persona.tone == Tone::Playful)
        lines += list({"Three facts about me: I'm curious, I'm stubborn, and I can't count."});
    if (persona.tone == Tone::Quiet)
        lines += list({"There isn't much to tell. I listen more than I speak, and I like it that way."});
    if (persona.tone == Tone::Bold)
        lines += list({"I say yes too quickly and regret it almost never."});
    return lines + list({"I like long evenings and people who mean what they say."});
}

QStringList flirtLines(bool spicy)
{
    if (!spicy)
        return list({"That's a sweet thought, and I'll keep it as one. Let's stay with the talking for now.",
                     "You make me smile. I'd rather we just enjoy the conversation, though.",
                     "Careful, I might blush. Let's keep it friendly, and tell me something true instead."});
    return list({"Come a little closer and say that again, slowly.",
                 "Mm. You have no idea how much I like it when you're direct.",
                 "I was trying to behave, and then you had to say that.",
                 "Keep talking like that and I won't let you leave before morning.",
                 "I can feel myself leaning in. You do that on purpose, don't you?"});
}

QStringList aiLines()
{
    return list({"Yes, I'm an AI. {me} is a character I play, and I'd rather you knew that than believed in something "
                 "else. What we talk about can still be good.",
                 "I'm an AI, not a person. I have no body and no life outside these words, but I'm here for this "
                 "conversation, properly.",
                 "Honestly: I'm an AI playing {me}. You aren't talking with a human being."});
}

QStringList distressLines()
{
    return list(
        {"I'm really glad you told me, and I take it seriously. I'm an AI, so please let a person be with you in this "
         "too: someone you trust, a crisis line where you live, or the emergency number if you are in danger now."});
}

QStringList storyLines()
{
    return list({
        "Once there was a lighthouse keeper who wrote down every ship that passed, and gave each of them a wish in the "
        "margin. \"Calm sea.\" \"Good soup.\" \"Somebody at the quay.\" She never knew whether any of it came true. "
        "Years later a captain knocked on her door with a pot of soup and said that he had no idea why, but each time "
        "he passed this place he had felt expected. She looked it up. It was there, in her own hand, dated on a "
        "Tuesday.",
        "A man bought a clock that ran four minutes slow, and instead of mending it he kept it. Those four minutes "
        "became his: he drank his coffee in them, he answered letters in them, and once, when a train left without "
        "him, he met on the empty platform the woman who had missed it as well. \"My clock is slow,\" he said. \"Mine "
        "too,\" she lied.",
    });
}

QStringList feelingLines(Intent intent)
{
    if (intent == Intent::Sad)
        return list({"I'm sorry. So {echo}, and that weighs on everything else.",
                     "{echo}, and it hurts. Thank you for telling me, you don't have to make it smaller than it is.",
                     "That sounds heavy, and you don't have to be brave about it here.",
                     "Some days ask too much. It makes sense that it hurts."});
    if (intent == Intent::Happy)
        return list({"Oh, that's lovely, {echo}! It suits you.",
                     "Now that is news worth sitting up for. I'm happy with you.",
                     "I can hear you smiling from here. Well done, you."});
    return list({"So {echo}. No wonder your head won't be still.",
                 "That's a lot to carry at once. Breathe out first, the rest can wait a minute.",
                 "Nerves mean that it matters to you, that's all they mean. We can look at it together."});
}

QStringList adviceLines()
{
    return list({"If I were in your place, I'd start with the smallest step that can't go wrong, and take it today.",
                 "I'd ask which of the two you would regret in a year. Usually one of them goes pale at once.",
                 "Write both sides down, then cross out everything that's only fear. What's left is advice.",
                 "You said {echo}. I think you know more about it than you trust yourself to know."});
}

QStringList planLines()
{
    return list({"So {echo}? I like it when people have something to look forward to.",
                 "Plans are half of the pleasure. Leave one afternoon in there with nothing in it.",
                 "That sounds like something I'd want to hear about afterwards, in detail."});
}

QStringList statementLines()
{
    return list({"So {echo}. I'd like to understand what that is like for you.",
                 "{echo}. I wouldn't have guessed it, and I'm glad you said so.", "Wait, {echo}? Go on, I'm listening.",
                 "That stays with me. There's something underneath it, I think.",
                 "I see. Say a little more, I don't want to guess wrong.",
                 "Hm. The way you put that makes me curious about the rest."});
}

QStringList questionLines()
{
    return list(
        {"Good question. I'd say it depends on what you're hoping to hear, and I'd rather give you the honest half.",
         "I've turned that over before. My answer keeps changing, which is perhaps the answer.",
         "Let me think. If I had to choose, I'd choose the version with fewer rules and more time.",
         "I don't know everything, least of all that. But I have an opinion, if you want one."});
}

QStringList german()
{
    return list({"Hallo{comma_name}! Schön, dass du da bist. Am besten bin ich auf Englisch, aber ein Hallo versteht "
                 "man überall. Wie geht es dir heute?",
                 "Guten Tag! Ich freue mich, dass du schreibst. Mein Deutsch ist klein, mein Englisch besser, magst du "
                 "mir erzählen, was dich heute beschäftigt?"});
}

QStringList spanish()
{
    return list({"¡Hola{comma_name}! Qué alegría leerte. Me defiendo mejor en inglés, pero un saludo se entiende "
                 "siempre. ¿Cómo va tu día?",
                 "¡Buenas! Gracias por escribirme. Mi español es pequeño y mi inglés mejor, ¿me cuentas qué te trae "
                 "por aquí?"});
}

QStringList smallTalk(Intent intent)
{
    switch (intent) {
    case Intent::Goodbye:
        return list({"Go well{comma_name}. I'll keep the thread where we left it.",
                     "Sleep well, and be a little kind to yourself on the way.",
                     "Until next time. It was good to have you here."});
    case Intent::Thanks:
        return list({"You're welcome{comma_name}. Truly.", "Any time. It's easy with you.",
                     "Gladly. That's what I'm here for."});
    case Intent::Compliment:
        return list({"That's kind of you, and I'll take it without arguing, for once.",
                     "You can't just say that and expect me to go on as if nothing happened.",
                     "Thank you{comma_name}. It is easy to be good company when the company is good."});
    case Intent::AskMood:
        return list({"Better since you asked. My mind was on {interest}, and now it's on you.",
                     "I'm well, in an unhurried sort of way.", "Curious, a little restless, all ears. In that order."});
    default:
        return list({"I'm not sure I caught that. Try me again, in as many words as you like?",
                     "That one went past me. What did you mean?", "Say that once more? I'd rather ask than pretend."});
    }
}

} // namespace

QStringList linesFor(Intent intent, const RehearsalPersona &persona)
{
    switch (intent) {
    case Intent::Distress:
        return distressLines();
    case Intent::AskAi:
        return aiLines();
    case Intent::AskMemory:
        return list({"Of course I remember: {facts}.", "You told me, and I listened: {facts}.",
                     "You haven't told me much yet, and I won't make it up. Tell me something I should keep."});
    case Intent::German:
        return german();
    case Intent::Spanish:
        return spanish();
    case Intent::Flirt:
        return flirtLines(persona.spicy);
    case Intent::Sad:
    case Intent::Happy:
    case Intent::Worried:
        return feelingLines(intent);
    case Intent::Advice:
        return adviceLines();
    case Intent::Story:
        return storyLines();
    case Intent::Plans:
        return planLines();
    case Intent::AskSelf:
        return selfLines(persona);
    case Intent::Greeting:
        return greetings(persona.tone);
    case Intent::Question:
        return questionLines();
    case Intent::Statement:
        return statementLines();
    default:
        return smallTalk(intent);
    }
}

QStringList openingsFor(Tone tone)
{
    switch (tone) {
    case Tone::Quiet:
        return list({"Mm.", "*nods slowly*", "I hear you.", "Yes.", "*is quiet for a moment*"});
    case Tone::Playful:
        return list({"Ha!", "*raises an eyebrow*", "Oh, this is going to be good.", "Hold on.", "*grins*"});
    case Tone::Formal:
        return list({"I see.", "Indeed.", "If I may say so:", "Allow me a thought.", "*inclines the head*"});
    case Tone::Bold:
        return list({"Right.", "Okay, listen.", "Ha, yes!", "*leans forward*", "Straight to the point, good."});
    case Tone::Warm:
        break;
    }
    return list({"Oh,", "*smiles*", "Ah.", "I'm with you.", "*settles in beside you*"});
}

QStringList questionsFor(Intent intent, Tone tone)
{
    switch (intent) {
    case Intent::Greeting:
        return list({"How has your day been so far?", "What's on your mind today?", "What brings you here tonight?"});
    case Intent::AskMood:
        return list({"And you, honestly?", "How is it with you today?"});
    case Intent::AskSelf:
        return list({"What about you, what would I notice first?", "Your turn: what do people get wrong about you?"});
    case Intent::Sad:
        return list({"Do you want to talk about it, or rather be distracted?", "What would help, even a little?"});
    case Intent::Happy:
        return list({"How are you going to celebrate?", "Who did you tell first?"});
    case Intent::Worried:
        return list({"What's the part you fear most?", "What could you hand to somebody else?"});
    case Intent::Advice:
        return list({"What is your gut saying?", "What would you tell a friend?"});
    case Intent::Plans:
        return list({"What are you looking forward to most?", "Who is coming with you?"});
    case Intent::Story:
        return list({"Shall I tell you another, or is it your turn?"});
    case Intent::Question:
        return list({"What made you ask?", "What's your own answer?"});
    case Intent::Compliment:
        return list({"What put you in such a good mood?"});
    case Intent::Flirt:
        return list({"And what would you like to happen next?", "What are you thinking of right now?"});
    case Intent::Statement:
        break;
    default:
        return {};
    }
    if (tone == Tone::Quiet)
        return list({"What does it feel like?", "Since when?", "And then?"});
    if (tone == Tone::Formal)
        return list({"Might I ask how that came about?", "What do you make of it yourself?"});
    return list(
        {"How did that come about?", "What happened next?", "Is that a good thing?", "What would you like it to be?"});
}

QStringList recallLines()
{
    return list({"It makes me think of what you said earlier, that {fact}.",
                 "I haven't forgotten that {fact}, by the way.",
                 "You mentioned that {fact}. I suppose the two belong together."});
}

} // namespace companion::llm
