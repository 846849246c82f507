#include "gateway/credential_names.hpp"

#include "base/field_name.hpp"

#include <algorithm>
#include <array>
#include <span>

namespace penstock::gateway {
namespace {

constexpr std::size_t longest_word = 32; // no word of a name is longer; one that is may be anything, and is not shown

// One of these says it.
constexpr std::string_view telling[] = {
    "assertion", "auth",    "authorization", "bearer",   "cookie", "credential", "creds", "hmac", "jwt",        "key",
    "oauth",     "otp",     "pass",          "passcode", "passwd", "password",   "pin",   "pwd",  "pw",         "secret",
    "sess",      "session", "sid",           "sig",      "sign",   "signature",  "token", "totp", "passphrase",
};

// What stands in one word with them: `apikey`, `accesstoken`, `sessionid`, `userpassword`.
constexpr std::string_view accompanying[] = {
    "access",       "account", "admin",    "api",     "app",     "asp",     "cf",           "client",
    "code",         "confirm", "consumer", "csrf",    "current", "db",      "deploy",       "device",
    "encryption",   "hapi",    "id",       "invite",  "j",       "license", "login",        "master",
    "my",           "new",     "old",      "php",     "private", "public",  "refresh",      "reset",
    "security",     "service", "shared",   "signing", "site",    "sso",     "subscription", "user",
    "verification", "web",     "webhook",  "x",       "xsrf",
};

bool begins_with(std::string_view text, std::string_view lower) noexcept
{
    return text.size() >= lower.size() && base::is_field(text.substr(0, lower.size()), lower);
}

// Whether `word` is made of the words above and nothing else, with one that tells among them. A plural and a number do not
// matter: `keys`, `token2`.
bool is_made_of(std::string_view word, bool has_told) noexcept
{
    if (word.empty() || base::is_field(word, "s")) return has_told;
    auto const goes_on = [word](std::span<std::string_view const> words, bool told) {
        return std::ranges::any_of(words, [&](std::string_view each) {
            return begins_with(word, each) && is_made_of(word.substr(each.size()), told);
        });
    };
    return goes_on(telling, true) || goes_on(accompanying, has_told);
}

constexpr bool is_lower(char c) noexcept { return c >= 'a' && c <= 'z'; }
constexpr bool is_upper(char c) noexcept { return c >= 'A' && c <= 'Z'; }
constexpr bool is_letter(char c) noexcept { return is_lower(c) || is_upper(c); }

// Where the word at the front of `text`, which begins with a letter, ends: before what is no letter, and where capitals begin or
// end a word (`accessToken`, `AWSAccessKeyId`).
std::size_t end_of_word(std::string_view text) noexcept
{
    std::size_t at = 1;
    for (; at < text.size() && is_letter(text[at]); ++at) {
        if (!is_upper(text[at])) continue;
        auto const begins_next = at + 1 < text.size() && is_lower(text[at + 1]);
        if (is_lower(text[at - 1]) || begins_next) return at;
    }
    return at;
}

bool tells(std::string_view word) noexcept { return word.size() > longest_word || is_made_of(word, false); }

} // namespace

bool is_credential_name(std::string_view name) noexcept
{
    if (base::is_field(name, "code")) return true; // of OAuth; and what some clouds call the key of a function
    while (!name.empty()) {
        if (!is_letter(name.front())) {
            name.remove_prefix(1);
            continue;
        }
        // Capitals are no sure sign (`ApiKEY`, `passWord`): a run of letters counts as one word, too.
        auto const run = static_cast<std::size_t>(std::ranges::find_if_not(name, is_letter) - name.begin());
        if (tells(name.substr(0, run))) return true;
        for (auto rest = name.substr(0, run); !rest.empty();) {
            auto const end = end_of_word(rest);
            if (tells(rest.substr(0, end))) return true;
            rest.remove_prefix(end);
        }
        name.remove_prefix(run);
    }
    return false;
}

} // namespace penstock::gateway
