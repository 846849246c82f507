// H1-120..H1-125: the normal form is a fixed point, holds nothing that could be read in two ways, and does not depend on
// which of its letters came escaped.
#include "fuzz_targets.hpp"
#include "proxy/normal_path.hpp"

#include <string>

namespace penstock::fuzz {
namespace {

// The normal form, or nothing at all if the path is refused.
std::string normal(std::string_view raw)
{
    std::string out;
    auto const result = proxy::normalise_path(raw, out);
    if (result.problem != proxy::path_problem::none) {
        require(out.empty() && !result.is_normal, "a refused path leaves nothing behind");
        return {};
    }
    require(result.is_normal == out.empty(), "a normal path is not copied");
    return result.is_normal ? std::string{raw} : out;
}

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '.'; }

std::string with_letters_escaped(std::string_view raw)
{
    static constexpr std::string_view hex = "0123456789abcdef";
    std::string escaped;
    for (std::size_t i = 0; i < raw.size(); ++i) {
        if (raw[i] == '%') { // an escape stays as it is
            escaped += raw.substr(i, 3);
            i += 2;
        } else if (is_letter(raw[i])) {
            escaped += '%';
            escaped += hex[static_cast<unsigned char>(raw[i]) >> 4];
            escaped += hex[raw[i] & 15];
        } else {
            escaped += raw[i];
        }
    }
    return escaped;
}

} // namespace

void normal_path(std::string_view raw)
{
    auto const path = normal(raw);
    require(normal(with_letters_escaped(raw)) == path, "an escaped letter is the letter");
    if (path.empty()) return;

    require(path.front() == '/', "it is absolute");
    require(path.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~!$&'()*+,;=:@/%") ==
                std::string::npos,
            "it holds only what a path may hold (RFC 3986 3.3)");
    auto const closed = path + '/';
    require(path.find("//") == std::string::npos, "slashes are merged");
    require(closed.find("/./") == std::string::npos && closed.find("/../") == std::string::npos, "dot segments are resolved");
    for (std::string_view const escape : {"%2F", "%2f", "%5C", "%5c", "%00", "%0A", "%0D", "%2E", "%41", "%7F", "%C0"})
        require(path.find(escape) == std::string::npos, "no ambiguous escape is left");
    require(normal(path) == path, "it is a fixed point");
}

} // namespace penstock::fuzz
