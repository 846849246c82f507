#include "proxy/strict_spelling.hpp"

namespace penstock::proxy {
namespace {

constexpr std::size_t version_size = 8; // HTTP/1.1

// HTTP/1.2 to HTTP/1.9 mean what 1.1 means to who knows no more than that.
bool is_later_minor_version(std::string_view text) noexcept
{
    return text.size() == version_size && text.starts_with("HTTP/1.") && text.back() >= '2' && text.back() <= '9';
}

std::string_view take_line(std::string_view& text) noexcept
{
    auto const end = text.find("\r\n");
    auto const line = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 2);
    return line;
}

void append_without_blanks_before_colon(std::string& into, std::string_view line)
{
    auto const colon = line.find(':');
    auto const last = line.substr(0, colon).find_last_not_of(" \t");
    if (colon == std::string_view::npos || last == std::string_view::npos) {
        into.append(line);
        return;
    }
    into.append(line.substr(0, last + 1)).append(line.substr(colon));
}

} // namespace

bool spell_request_strictly(std::string_view head, std::string& into)
{
    auto rest = head;
    auto const line = take_line(rest);
    if (line.size() < version_size || !is_later_minor_version(line.substr(line.size() - version_size))) return false;
    into.assign(line.substr(0, line.size() - 1)).append("1\r\n").append(rest);
    return true;
}

bool spell_response_strictly(std::string_view head, std::string& into)
{
    constexpr auto with_status = version_size + 4; // HTTP/1.1 200
    auto rest = head;
    auto const line = take_line(rest);
    auto const version = line.substr(0, version_size);
    into.assign(is_later_minor_version(version) ? "HTTP/1.1" : version).append(line.substr(version.size()));
    if (line.size() == with_status) into.append(" ");
    into.append("\r\n");
    while (!rest.empty()) {
        append_without_blanks_before_colon(into, take_line(rest));
        into.append("\r\n");
    }
    return into != head;
}

} // namespace penstock::proxy
