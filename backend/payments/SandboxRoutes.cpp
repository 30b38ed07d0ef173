#include "payments/PaymentRoutes.h"
#include "payments/sandbox/SandboxProvider.h"

#include <QCryptographicHash>

namespace companion::payments {

using namespace Qt::StringLiterals;

namespace {

constexpr qsizetype mostForm = 4096; // bytes

constexpr char style[] =
    ":root{color-scheme:light dark;--text:#14171C;--soft:#5B6472;--line:#E3E6EB;--page:#F6F7F9;--card:#FFF;"
    "--accent:#3B5BDB;--warn:#8A5A00;--tint:#FFF6E0}"
    "@media(prefers-color-scheme:dark){:root{--text:#E8EBF0;--soft:#9AA4B2;--line:#2A303A;--page:#111418;"
    "--card:#181C22;--accent:#7C93FF;--warn:#F0C060;--tint:#2B2414}}"
    "*{box-sizing:border-box}body{margin:0;min-height:100vh;display:grid;place-items:center;padding:24px;"
    "background:var(--page);color:var(--text);font:15px/1.5 'Noto Sans',system-ui,sans-serif}"
    "main{width:100%;max-width:420px;background:var(--card);border:1px solid "
    "var(--line);border-radius:12px;padding:28px}"
    "h1{font-size:18px;margin:0 0 4px}p{margin:0 0 16px;color:var(--soft)}"
    ".sum{display:flex;justify-content:space-between;align-items:baseline;border-top:1px solid var(--line);"
    "border-bottom:1px solid var(--line);padding:14px 0;margin:16px 0}.sum b{font-size:24px}"
    ".note{background:var(--tint);color:var(--warn);border-radius:8px;padding:10px 12px;font-size:13px}"
    "button{width:100%;padding:11px;border-radius:8px;border:1px solid var(--line);background:none;color:var(--text);"
    "font:inherit;font-weight:600;cursor:pointer;margin-top:8px}"
    "button.pay{background:var(--accent);border-color:var(--accent);color:#FFF}"
    "button:focus-visible,input:focus-visible,a:focus-visible{outline:2px solid var(--accent);outline-offset:2px}"
    "details{margin-top:18px;color:var(--soft);font-size:13px}summary{cursor:pointer}"
    "label{display:flex;justify-content:space-between;gap:12px;align-items:center;padding:5px 0}"
    "input{font:inherit;color:var(--text);background:var(--page);border:1px solid var(--line);border-radius:6px;"
    "padding:4px 8px;width:84px}input[type=checkbox]{width:auto}a{color:var(--accent)}";

// Nothing but this page's own style, and its form back to us.
QByteArray policy()
{
    static const QByteArray hash = QCryptographicHash::hash(QByteArray(style), QCryptographicHash::Sha256).toBase64();
    return "default-src 'none'; style-src 'sha256-" + hash
        + "'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";
}

http::Reply page(const QString &title, const QString &inner, int status = 200)
{
    const QString html =
        u"<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\">"
        "<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\"><title>%1</title><style>%2</style>"
        "</head><body><main>%3</main></body></html>"_s.arg(title.toHtmlEscaped(), QString::fromLatin1(style), inner);
    return http::Reply::text(html.toUtf8(), "text/html; charset=utf-8", status)
        .with("Content-Security-Policy", policy())
        .with("Cache-Control", "no-store")
        .with("Referrer-Policy", "no-referrer")
        .with("X-Content-Type-Options", "nosniff");
}

QString checkoutHtml(const SandboxCheckout &checkout)
{
    const QString due = checkout.trialDays > 0
        ? u"%1 %2 a month after %3 days free"_s.arg(checkout.price.amount(), checkout.price.currency())
              .arg(checkout.trialDays)
        : u"%1 %2"_s.arg(checkout.price.amount(), checkout.price.currency());
    return u"<h1>Checkout</h1><p>%1</p><div class=\"sum\"><span>To pay</span><b>%2</b></div>"
           "<p class=\"note\">Sandbox: no money moves. What you choose here is told to the server by a signed webhook, "
           "as a "
           "payment provider would.</p>"
           "<form method=\"post\"><button class=\"pay\" name=\"outcome\" value=\"pay\">Pay</button>"
           "<button name=\"outcome\" value=\"fail\">Decline the card</button>"
           "<details><summary>How the webhooks arrive</summary>"
           "<label>Seconds late<input type=\"number\" name=\"delay_s\" min=\"0\" max=\"86400\" value=\"0\"></label>"
           "<label>Copies (0: lost)<input type=\"number\" name=\"copies\" min=\"0\" max=\"10\" value=\"1\"></label>"
           "<label>In any order<input type=\"checkbox\" name=\"shuffle\" value=\"1\"></label>"
           "</details></form>"_s.arg(checkout.title.toHtmlEscaped(), due.toHtmlEscaped());
}

QString doneHtml(const SandboxCheckout &checkout, bool paid)
{
    QString html = paid
        ? u"<h1>Paid</h1><p>Thank you. %1 is on its way to your account.</p>"_s.arg(checkout.title.toHtmlEscaped())
        : u"<h1>Declined</h1><p>The card was declined. Nothing was charged.</p>"_s;
    if (!checkout.returnUrl.isEmpty())
        html += u"<p><a href=\"%1\" rel=\"noreferrer\">Back to where you came from</a></p>"_s.arg(
            checkout.returnUrl.toHtmlEscaped());
    return html;
}

struct SandboxConductModel
{
    int delay_s = 0;
    int copies = 1;
    bool shuffle = false;
    bool renewalsFail = false;

    static constexpr const char *modelName = "SandboxConduct";
    static constexpr auto fields()
    {
        using C = SandboxConductModel;
        return std::tuple(field("delay_s", &C::delay_s, {.minimum = 0, .maximum = 86400, .hasDefault = true}),
                          field("copies", &C::copies, {.minimum = 0, .maximum = 10, .hasDefault = true}),
                          field("shuffle", &C::shuffle, {.hasDefault = true}),
                          field("renewals_fail", &C::renewalsFail, {.hasDefault = true}));
    }
};

struct SandboxDone
{
    QString reference;

    static constexpr const char *modelName = "SandboxDone";
    static constexpr auto fields() { return std::tuple(field("reference", &SandboxDone::reference)); }
};

api::Parameter referenceOf(const char *name, const QString &example)
{
    return {name,
            "The sandbox's id of it",
            {{u"type"_s, u"string"_s}, {u"maxLength"_s, 255}, {u"examples"_s, QJsonArray{example}}}};
}

api::Endpoint pageEndpoint(http::Method method, const QString &summary)
{
    return {.method = method,
            .path = u"/sandbox/checkout/{id}"_s,
            .tag = u"Sandbox checkout"_s,
            .summary = summary,
            .access = api::Access::everybody(),
            .answers = {{200, {{u"type"_s, u"string"_s}}, "text/html; charset=utf-8"}},
            .segments = {referenceOf("id", u"sbx_co_0f4c"_s)}};
}

struct CheckoutForm
{
    bool pays = false;
    SandboxConduct conduct;
};

// Anything else than what the page's form sends is refused: nobody's card is declined by a slip in a test script.
Result<CheckoutForm> formIn(const QByteArray &body)
{
    const QUrlQuery form(QString::fromUtf8(body));
    const QString outcome = form.queryItemValue(u"outcome"_s);
    QList<FieldError> errors;
    if (outcome != "pay"_L1 && outcome != "fail"_L1)
        errors.append({u"/outcome"_s, u"must be pay or fail"_s});
    const auto number = [&](const QString &name, int otherwise, int most) {
        if (!form.hasQueryItem(name))
            return otherwise;
        bool isNumber = false;
        const int value = form.queryItemValue(name).toInt(&isNumber);
        if (!isNumber || value < 0 || value > most)
            errors.append({QString(u'/' + name), u"must be a whole number from 0 to %1"_s.arg(most)});
        return value;
    };
    const SandboxConduct conduct{number(u"delay_s"_s, 0, 86'400), number(u"copies"_s, 1, 10),
                                 form.hasQueryItem(u"shuffle"_s), false};
    if (!errors.isEmpty())
        return std::unexpected(
            Refusal{.code = ErrorCode::Invalid, .detail = u"That is not the page's form."_s, .errors = errors});
    return CheckoutForm{outcome == "pay"_L1, conduct};
}

void addPage(api::Api &api, SandboxProvider &sandbox, db::Workers &operators)
{
    const auto show = pageEndpoint(http::Method::Get, u"The sandbox's checkout page"_s);
    api.onLoop(show, [&api, &sandbox, &operators, show](const http::Exchange &exchange, const api::Entry &entry) {
        operators.act(
            &sandbox,
            [world = sandbox.world(),
             id = exchange.request().param(u"id"_s)](db::Session &db) -> Result<SandboxCheckout> {
                const auto found = world.checkout(db, id);
                return found ? Result<SandboxCheckout>(*found)
                             : refuse(ErrorCode::NotFound, u"There is no such checkout."_s);
            },
            [&api, show, exchange, entry](const Result<SandboxCheckout> &checkout) {
                if (!checkout)
                    return api.refuse(exchange, show, checkout.error(), entry.headers);
                const QString html = checkout->status == "open"_L1 ? checkoutHtml(*checkout)
                                                                   : doneHtml(*checkout, checkout->status == "paid"_L1);
                api.answer(exchange, show, page(u"Checkout"_s, html), entry.headers);
            });
    });

    auto click = pageEndpoint(http::Method::Post, u"The customer pays, or the card is declined"_s);
    click.bodyTypes = {u"application/x-www-form-urlencoded"_s};
    click.refusals = {ErrorCode::Conflict, ErrorCode::PayloadTooLarge, ErrorCode::Invalid};
    api.onLoop(click, [&api, &sandbox, &operators, click](const http::Exchange &exchange, const api::Entry &entry) {
        const http::Request &request = exchange.request();
        if (request.headers.value("Content-Type").split(';').first().trimmed().toLower()
            != "application/x-www-form-urlencoded")
            return api.refuse(exchange, click, {ErrorCode::UnsupportedMediaType, u"Send the page's form."_s},
                              entry.headers);
        if (request.body.size() > mostForm)
            return api.refuse(exchange, click, {ErrorCode::PayloadTooLarge, u"That is no form of this page."_s},
                              entry.headers);
        const auto read = formIn(request.body);
        if (!read)
            return api.refuse(exchange, click, read.error(), entry.headers);
        const CheckoutForm form = *read;
        operators.act(
            &sandbox,
            [world = sandbox.world(), id = request.param(u"id"_s), form](db::Session &db) -> Result<SandboxCheckout> {
                if (!world.checkout(db, id))
                    return refuse(ErrorCode::NotFound, u"There is no such checkout."_s);
                return form.pays ? world.pay(db, id, form.conduct) : world.decline(db, id, form.conduct);
            },
            [&api, &sandbox, click, exchange, entry, form](const Result<SandboxCheckout> &done) {
                if (!done)
                    return api.refuse(exchange, click, done.error(), entry.headers);
                sandbox.sendNow();
                api.answer(exchange, click, page(form.pays ? u"Paid"_s : u"Declined"_s, doneHtml(*done, form.pays)),
                           entry.headers);
            });
    });
}

} // namespace

void addSandboxRoutes(api::Api &api, SandboxProvider &sandbox, db::Workers &operators)
{
    addPage(api, sandbox, operators);

    const auto endpoint = [](const QString &path, const QString &summary) {
        return api::Endpoint{.method = http::Method::Post,
                             .path = u"/api/v1/admin/sandbox"_s + path,
                             .tag = u"Admin: sandbox"_s,
                             .summary = summary,
                             .access = api::Access::operators({Role::Finance, Role::Qa}),
                             .answers = {api::answer<SandboxDone>()},
                             .refusals = {ErrorCode::Conflict}};
    };
    auto conduct = endpoint(u"/conduct"_s, u"How the sandbox sends its webhooks, and whether renewals fail"_s);
    conduct.body = schemaOf<SandboxConductModel>();
    conduct.answers = {api::answer<SandboxConductModel>()};
    api.act(conduct, [world = sandbox.world()](const api::Call &call, db::Session &db) -> Result<http::Reply> {
        const auto wanted = call.body<SandboxConductModel>();
        if (!wanted)
            return std::unexpected(wanted.error());
        world.setConduct(db, {wanted->delay_s, wanted->copies, wanted->shuffle, wanted->renewalsFail});
        return api::ok(*wanted);
    });

    // These acts have transactions of their own: they are another company's.
    using Step = std::function<Result<QString>(const SandboxWorld &, db::Session &, const QString &)>;
    const auto add = [&](const QString &path, const QString &summary, const Step &step) {
        auto one = endpoint(path, summary);
        one.segments = {
            {"reference",
             "The sandbox's id of it",
             {{u"type"_s, u"string"_s}, {u"maxLength"_s, 255}, {u"examples"_s, QJsonArray{u"sbx_pay_0f4c"_s}}}}};
        api.bareAct(one,
                    [world = sandbox.world(), step](const api::Call &call, db::Session &db) -> Result<http::Reply> {
                        const auto done = step(world, db, call.request().param(u"reference"_s));
                        return done ? Result<http::Reply>(api::ok(SandboxDone{*done})) : std::unexpected(done.error());
                    });
    };
    add(u"/payments/{reference}/dispute"_s, u"The customer's bank disputes a payment"_s,
        [](const SandboxWorld &world, db::Session &db, const QString &reference) {
            return world.dispute(db, reference);
        });
    for (const bool won : {true, false})
        add(won ? u"/disputes/{reference}/win"_s : u"/disputes/{reference}/lose"_s,
            won ? u"The dispute is won"_s : u"The dispute is lost"_s,
            [won](const SandboxWorld &world, db::Session &db, const QString &reference) -> Result<QString> {
                const auto closed = world.closeDispute(db, reference, won);
                return closed ? Result<QString>(reference) : std::unexpected(closed.error());
            });
    add(u"/subscriptions/{reference}/renew"_s, u"The period ends now and the next one is charged"_s,
        [](const SandboxWorld &world, db::Session &db, const QString &reference) -> Result<QString> {
            const auto renewed = world.renew(db, reference);
            return renewed ? Result<QString>(reference) : std::unexpected(renewed.error());
        });
}

} // namespace companion::payments
