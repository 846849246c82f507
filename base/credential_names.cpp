#include "base/credential_names.hpp"

#include "base/credential_words.hpp"
#include "base/field_name.hpp"

#include <algorithm>

namespace penstock::base {
namespace {

constexpr std::size_t longest_word = 32; // no word of a name is longer; one that is may be anything, and is not shown

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

bool tells(std::string_view word) noexcept { return word.size() > longest_word || is_credential_word(word); }

// Capitals are no sure sign (`ApiKEY`, `passWord`): a run of letters counts as one word, too.
bool run_tells(std::string_view run) noexcept
{
    if (tells(run)) return true;
    auto end = end_of_word(run);
    if (end == run.size()) return false;
    while (!run.empty()) {
        if (tells(run.substr(0, end))) return true;
        run.remove_prefix(end);
        end = run.empty() ? 0 : end_of_word(run);
    }
    return false;
}

// `reset_code`, `magicLink`, `login_hash`; alone the code of OAuth, and what some clouds call the key of a function.
bool has_secret_behind_word(std::string_view name) noexcept
{
    constexpr std::string_view code = "code";
    constexpr std::string_view secrets[] = {code, "link", "hash"};
    constexpr std::size_t size = 4; // of each
    if (is_field(name, code)) return true;
    for (std::size_t at = 1; at + size <= name.size(); ++at) {
        auto const is_here = [here = name.substr(at, size)](std::string_view each) {
            return ascii_lower(here.front()) == each.front() && is_field(here, each);
        };
        if (std::ranges::none_of(secrets, is_here)) continue;
        auto const before = is_letter(name[at - 1]) ? name.substr(0, at) : name.substr(0, at - 1);
        if (is_before_secret(before)) return true;
    }
    return false;
}

// `2fa`, which letters alone do not tell.
bool is_second_factor(std::string_view run, char before) noexcept { return before == '2' && is_field(run, "fa"); }

bool has_telling_word(std::string_view name) noexcept
{
    char before = '\0'; // the run of letters
    while (!name.empty()) {
        if (!is_letter(name.front())) {
            before = name.front();
            name.remove_prefix(1);
            continue;
        }
        auto const run = static_cast<std::size_t>(std::ranges::find_if_not(name, is_letter) - name.begin());
        if (run_tells(name.substr(0, run)) || is_second_factor(name.substr(0, run), before)) return true;
        name.remove_prefix(run);
    }
    return false;
}

} // namespace

bool is_credential_name(std::string_view name) noexcept
{
    return (has_secret_behind_word(name) || has_telling_word(name)) && !is_harmless_name(name);
}

bool may_be_credential_name(std::string_view name) noexcept
{
    constexpr std::string_view letters[] = {"auth", "bearer", "cookie", "credential", "jwt", "key",  "pass",
                                            "pwd",  "secret", "sess",   "sid",        "sig", "token"};
    for (std::size_t at = 0; at < name.size(); ++at) {
        auto const rest = name.substr(at);
        auto const begins = [rest](std::string_view each) { return is_field(rest.substr(0, each.size()), each); };
        if (std::ranges::any_of(letters, begins)) return true;
    }
    return is_credential_name(name);
}

} // namespace penstock::base
