#include "base/credential_words.hpp"

#include "base/field_name.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <span>

namespace penstock::base {
namespace {

bool begins_with(std::string_view text, std::string_view lower) noexcept
{
    return text.size() >= lower.size() && is_field(text.substr(0, lower.size()), lower);
}

bool ends_in(std::string_view text, std::string_view lower) noexcept
{
    return text.size() >= lower.size() && is_field(text.substr(text.size() - lower.size()), lower);
}

struct word_of_table {
    std::string_view text;
    bool tells = true;
};

constexpr char first_letter(word_of_table const& word) { return word.text.front(); }
constexpr char last_letter(word_of_table const& word) { return word.text.back(); }

// Words by one of their letters, so that for each letter of a name only a few are compared.
template <std::size_t count>
class word_table {
public:
    using letter_of = char (*)(word_of_table const&);

    constexpr word_table(std::array<word_of_table, count> words, letter_of letter) : words_(words)
    {
        std::ranges::sort(words_, {}, letter);
        for (std::size_t i = 0; i < letters; ++i) {
            auto const found = std::ranges::lower_bound(words_, static_cast<char>('a' + i), {}, letter);
            begins_[i] = static_cast<std::size_t>(found - words_.begin());
        }
        begins_[letters] = count;
    }

    [[nodiscard]] std::span<word_of_table const> at(char c) const noexcept
    {
        auto const lower = ascii_lower(c);
        if (lower < 'a' || lower > 'z') return {};
        auto const i = static_cast<std::size_t>(lower - 'a');
        return std::span{words_}.subspan(begins_[i], begins_[i + 1] - begins_[i]);
    }

private:
    static constexpr std::size_t letters = 26;
    std::array<word_of_table, count> words_;
    std::array<std::size_t, letters + 1> begins_{};
};

// Tell wherever they stand.
constexpr word_table within{std::to_array<word_of_table>({
                                {"accesskey"},
                                {"apikey"},
                                {"contrasena"},
                                {"credential"},
                                {"kennwort"},
                                {"macaroon"},
                                {"motdepasse"},
                                {"oauth"},
                                {"passcode"},
                                {"passwd"},
                                {"passphrase"},
                                {"password"},
                                {"passwort"},
                                {"signature"},
                                {"secret"},
                                {"token"},
                                {"twofactor"},
                                {"wachtwoord"},
                            }),
                            first_letter};

// Words of the language that hold one of them.
constexpr std::string_view no_secrets[] = {"secretar",  "secretion", "secretive", "tokenisa",
                                           "tokenised", "tokeniser", "tokenisi",  "tokeniz"};

// Tell at the end of a word, with these exceptions.
struct ending {
    std::string_view text;
    std::span<std::string_view const> exceptions;
};
constexpr std::string_view no_keys[] = {"donkey", "flunkey", "hickey", "hockey", "jockey",
                                        "lackey", "mickey",  "monkey", "turkey", "whiskey"};
constexpr std::string_view no_passwords[] = {"desenha"}; // Portuguese: draws
constexpr std::string_view no_passes[] = {"bypass", "compass", "overpass", "surpass", "trespass", "underpass"};
constexpr std::string_view no_sessions[] = {"obsession", "possession"};
constexpr ending endings[] = {
    {"jwe", {}},    {"mdp", {}},  {"psk", {}}, {"senha", no_passwords},  {"auth", {}}, {"bearer", {}},
    {"cookie", {}}, {"hmac", {}}, {"jwt", {}}, {"key", no_keys},         {"otp", {}},  {"pass", no_passes},
    {"psw", {}},    {"pswd", {}}, {"pwd", {}}, {"session", no_sessions}, {"sid", {}},  {"sig", {}},
    {"tkn", {}},
};

// What words are made of: those that tell, and those that stand in one word with them (`sessionid`, `userpin`).
constexpr word_table parts{std::to_array<word_of_table>({
                               {"assertion"},
                               {"auth"},
                               {"authentication"},
                               {"authorization"},
                               {"bearer"},
                               {"cookie"},
                               {"cred"},
                               {"creds"},
                               {"csrf"},
                               {"cvc"},
                               {"cvv"},
                               {"hdnea"}, // of a content delivery network
                               {"hdntl"},
                               {"hdnts"},
                               {"hmac"},
                               {"jwe"},
                               {"jwt"},
                               {"key"},
                               {"mdp"}, // mot de passe
                               {"mfa"},
                               {"mnemonic"},
                               {"otp"},
                               {"pass"},
                               {"pin"},
                               {"psk"},
                               {"psw"},
                               {"pswd"},
                               {"pw"},
                               {"pwd"},
                               {"saml"},
                               {"sas"}, // of Azure
                               {"secret"},
                               {"senha"},
                               {"sess"},
                               {"session"},
                               {"sid"},
                               {"sig"},
                               {"sign"},
                               {"tfa"},
                               {"ticket"}, // of CAS and Kerberos
                               {"tkn"},
                               {"tok"},
                               {"token"},
                               {"totp"},
                               {"verifier"},
                               {"xsrf"},
                               {"access", false},
                               {"account", false},
                               {"admin", false},
                               {"api", false},
                               {"app", false},
                               {"art", false},
                               {"asp", false},
                               {"aws", false},
                               {"cf", false},
                               {"client", false},
                               {"code", false},
                               {"confirm", false},
                               {"consumer", false},
                               {"current", false},
                               {"db", false},
                               {"deploy", false},
                               {"device", false},
                               {"email", false},
                               {"encryption", false},
                               {"function", false},
                               {"grant", false},
                               {"hapi", false},
                               {"hash", false},
                               {"id", false},
                               {"invite", false},
                               {"j", false},
                               {"license", false},
                               {"login", false},
                               {"master", false},
                               {"my", false},
                               {"new", false},
                               {"number", false},
                               {"old", false},
                               {"php", false},
                               {"private", false},
                               {"public", false},
                               {"refresh", false},
                               {"request", false},
                               {"reset", false},
                               {"response", false},
                               {"security", false},
                               {"service", false},
                               {"sha", false},
                               {"shared", false},
                               {"signing", false},
                               {"site", false},
                               {"sso", false},
                               {"subscription", false},
                               {"user", false},
                               {"value", false},
                               {"verification", false},
                               {"web", false},
                               {"webhook", false},
                               {"wms", false},
                               {"x", false},
                           }),
                           first_letter};

constexpr word_table before_secrets{
    std::to_array<word_of_table>({
        {"2fa"},          {"access"},       {"activation"}, {"authentication"}, {"authorization"}, {"backup"},   {"confirm"},
        {"confirmation"}, {"device"},       {"email"},      {"factor"},         {"gift"},          {"grant"},    {"invitation"},
        {"invite"},       {"login"},        {"magic"},      {"onetime"},        {"pairing"},       {"recovery"}, {"redeem"},
        {"redemption"},   {"registration"}, {"reset"},      {"security"},       {"signin"},        {"sms"},      {"unlock"},
        {"user"},         {"verification"}, {"verify"},     {"voucher"},
    }),
    last_letter};

// Whole names, however their words are joined, of which no part is a secret: counts, kinds, an action.
constexpr std::string_view harmless_names[] = {
    "completiontokens", "inputtokens", "maxcompletiontokens", "maxnewtokens", "maxoutputtokens", "maxtokens",  "mintokens",
    "outputtokens",     "pinid",       "prompttokens",        "sessiontype",  "signin",          "tickettype", "totaltokens",
};

bool holds_telling(std::string_view word) noexcept
{
    for (; !word.empty(); word.remove_prefix(1)) {
        auto const begins = [word](std::string_view each) { return begins_with(word, each); };
        auto const tells = [&](word_of_table const& each) {
            return begins(each.text) && std::ranges::none_of(no_secrets, begins);
        };
        if (std::ranges::any_of(within.at(word.front()), tells)) return true;
    }
    return false;
}

bool ends_telling(std::string_view word) noexcept
{
    return std::ranges::any_of(endings, [word](ending const& each) {
        auto const is_word = [word](std::string_view other) { return is_field(word, other); };
        return ends_in(word, each.text) && std::ranges::none_of(each.exceptions, is_word);
    });
}

// Every way to part `word` at once: a bit for each place, from here on, that parts end at. No part is as long as there are bits.
bool is_made_of_parts(std::string_view word) noexcept
{
    std::uint32_t untold = 1; // no part up to there tells
    std::uint32_t told = 0;
    for (; (untold | told) != 0; untold >>= 1U, told >>= 1U, word.remove_prefix(1)) {
        auto const ends = word.empty() || is_field(word, "s"); // a plural does not matter
        if (ends && (told & 1U) != 0) return true;
        if (word.empty()) return false;
        if (((untold | told) & 1U) == 0) continue;
        for (auto const& each : parts.at(word.front())) {
            if (!begins_with(word, each.text)) continue;
            auto const size = each.text.size();
            told |= (each.tells ? (untold | told) & 1U : told & 1U) << size;
            if (!each.tells) untold |= (untold & 1U) << size;
        }
    }
    return false;
}

} // namespace

bool is_credential_word(std::string_view word) noexcept
{
    if (holds_telling(word) || ends_telling(word) || is_made_of_parts(word)) return true;
    return ends_in(word, "s") && ends_telling(word.substr(0, word.size() - 1));
}

bool is_harmless_name(std::string_view name) noexcept
{
    return std::ranges::any_of(harmless_names, [name](std::string_view each) {
        auto rest = name;
        for (char const wanted : each) {
            if (!rest.empty() && (rest.front() == '_' || rest.front() == '-')) rest.remove_prefix(1);
            if (rest.empty() || ascii_lower(rest.front()) != wanted) return false;
            rest.remove_prefix(1);
        }
        return rest.empty();
    });
}

bool is_before_secret(std::string_view before) noexcept
{
    return !before.empty() && std::ranges::any_of(before_secrets.at(before.back()),
                                                  [before](word_of_table const& each) { return ends_in(before, each.text); });
}

} // namespace penstock::base
