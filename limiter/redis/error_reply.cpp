#include "limiter/redis/error_reply.hpp"

#include <algorithm>

namespace penstock::limiter::redis {
namespace {

// Redis before 7 wraps what a script raises: ERR Error running script (call to f_SHA): @user_script:44: @user_script: 44: -OOM ….
// What it raised is behind the places, and without the wrapping where the script caught and returned it; anything else is returned
// as it is.
std::string_view raised_in_script(std::string_view error) noexcept
{
    constexpr std::string_view wrapping = "ERR Error running script (call to ";
    constexpr std::string_view place = "@user_script:";
    auto text = error;
    if (error.starts_with(wrapping)) {
        auto const behind = error.find("): ", wrapping.size());
        if (behind == std::string_view::npos) return error;
        text.remove_prefix(behind + 3);
    }
    while (text.starts_with(place)) {
        auto const number_ends = text.find(": ", place.size());
        if (number_ends == std::string_view::npos) break;
        text.remove_prefix(number_ends + 2);
    }
    if (text.size() < error.size() && text.starts_with('-')) text.remove_prefix(1);
    return text;
}

bool is_letter_or_digit(char c) noexcept { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9'); }

// What Redis quotes and anybody may know: the commands that it is sent, and words of its own.
bool is_harmless(std::string_view quoted) noexcept
{
    static constexpr std::string_view known[] = {
        "append",  "asking",   "auth",   "cluster", "cluster|slots", "del",  "eval",
        "evalsha", "get",      "incrby", "mget",    "ping",          "role", "maxmemory",
        "no",      "sentinel", "set",    "select",  "subscribe",     "time", "sentinel|get-master-addr-by-name",
    };
    auto const is_same = [&](std::string_view word) {
        auto const lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; };
        return std::ranges::equal(word, quoted, {}, {}, lower);
    };
    return std::ranges::any_of(known, is_same);
}

// Up to the first thing that may be an echo.
std::string_view without_echoes(std::string_view text) noexcept
{
    text = text.substr(0, std::min(text.find(", with args"), text.find(" with args beginning with")));
    for (std::size_t i = 0; i < text.size(); ++i) {
        auto const mark = text[i];
        auto const is_apostrophe = mark == '\'' && i > 0 && is_letter_or_digit(text[i - 1]);
        if ((mark != '\'' && mark != '"' && mark != '`') || is_apostrophe) continue;
        auto const end = text.find(mark, i + 1);
        if (end == std::string_view::npos || !is_harmless(text.substr(i + 1, end - i - 1))) return text.substr(0, i);
        i = end;
    }
    return text;
}

} // namespace

errc errc_of(std::string_view error) noexcept
{
    struct row {
        std::string_view begins;
        errc means;
    };
    static constexpr row words[] = {
        {"LOADING", errc::loading},      {"READONLY", errc::read_only},      {"MASTERDOWN", errc::read_only},
        {"CLUSTERDOWN", errc::cluster},  {"MOVED", errc::cluster},           {"ASK", errc::cluster},
        {"TRYAGAIN", errc::cluster},     {"CROSSSLOT", errc::cluster},       {"OOM", errc::out_of_memory},
        {"MISCONF", errc::no_writes},    {"NOREPLICAS", errc::no_writes},    {"BUSY", errc::busy},
        {"NOAUTH", errc::refused_login}, {"WRONGPASS", errc::refused_login}, {"NOPERM", errc::refused_login},
    };
    static constexpr row sentences[] = {
        // behind ERR
        {"max number of clients ", errc::too_many_clients}, // "reached", or "+ cluster connections reached"
        {"invalid password", errc::refused_login},
        {"AUTH <password> called without any password configured", errc::refused_login},
        {"Client sent AUTH, but no password is set", errc::refused_login},
        {"The user executing the script ", errc::refused_login}, // lacks a right to a command or key
        {"ACL failure in script", errc::refused_login},          // the same, from Redis 7.2 on
    };
    auto const text = raised_in_script(error);
    auto const word = text.substr(0, text.find(' '));
    for (auto const& row : words)
        if (word == row.begins) return row.means;
    std::string_view sentence; // what Redis 7 puts behind ERR, Redis 6 raises as it is
    if (word == "ERR")
        sentence = text.substr(std::min(text.size(), word.size() + 1));
    else if (text.size() != error.size())
        sentence = text;
    for (auto const& row : sentences)
        if (sentence.starts_with(row.begins)) return row.means;
    return errc::script;
}

bool is_noscript(reply const& answer) noexcept
{
    return answer.kind == reply::type::error && answer.text.starts_with("NOSCRIPT ");
}

std::string shown(std::string_view error)
{
    constexpr std::size_t longest = 200;
    auto const kept = without_echoes(error).substr(0, longest);
    std::string text(kept.substr(0, kept.find_last_not_of(" ,:;(") + 1));
    for (auto& c : text)
        if (c < ' ' || c > '~') c = '?';
    return kept.size() < error.size() ? text + "..." : text;
}

} // namespace penstock::limiter::redis
