#include "limiter/redis/sentinel_codec.hpp"

#include <charconv>

namespace penstock::limiter::redis {
namespace {

// Takes the first line off the front.
std::string_view next_line(std::string_view& text) noexcept
{
    auto const end = text.find('\n');
    auto const line = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    return line;
}

} // namespace

void append_find_primary(std::string& out, std::string_view primary)
{
    out.append("*3\r\n$8\r\nSENTINEL\r\n$23\r\nGET-MASTER-ADDR-BY-NAME\r\n$").append(std::to_string(primary.size()));
    out.append("\r\n").append(primary).append("\r\n");
}

base::result<redis_address> decode_primary(reply const& answer)
{
    if (answer.kind == reply::type::error) return errc_of(answer.text);
    if (answer.kind == reply::type::other) return errc::no_primary; // nil
    if (answer.kind != reply::type::array) return errc::protocol;
    auto rest = answer.text;
    auto const host = next_line(rest);
    auto const port = next_line(rest);
    redis_address found{std::string(host), 0};
    auto const [end, failed] = std::from_chars(port.data(), port.data() + port.size(), found.port);
    if (host.empty() || failed != std::errc{} || end != port.data() + port.size() || found.port == 0 || !rest.empty())
        return errc::protocol;
    return found;
}

base::error_code decode_role(reply const& answer) noexcept
{
    if (answer.kind == reply::type::error) return errc_of(answer.text);
    if (answer.kind != reply::type::array) return errc::protocol;
    auto rest = answer.text;
    auto const role = next_line(rest);
    if (role == "master") return {};
    return role == "slave" ? errc::read_only : errc::protocol;
}

} // namespace penstock::limiter::redis
