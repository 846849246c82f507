#include "limiter/redis/sentinel_codec.hpp"

#include "limiter/redis/error_reply.hpp"

#include <charconv>

namespace penstock::limiter::redis {
namespace {

// Takes what stands before `last` off the front.
std::string_view next_until(char last, std::string_view& text) noexcept
{
    auto const end = text.find(last);
    auto const part = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    return part;
}
std::string_view next_line(std::string_view& text) noexcept { return next_until('\n', text); }

std::optional<redis_address> address_of(std::string_view host, std::string_view port)
{
    redis_address found{std::string(host), 0};
    auto const [end, failed] = std::from_chars(port.data(), port.data() + port.size(), found.port);
    if (host.empty() || failed != std::errc{} || end != port.data() + port.size() || found.port == 0) return std::nullopt;
    return found;
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
    auto found = address_of(host, port);
    if (!found || !rest.empty()) return errc::protocol;
    return std::move(*found);
}

void append_subscribe(std::string& out, std::string_view channel)
{
    out.append("*2\r\n$9\r\nSUBSCRIBE\r\n$").append(std::to_string(channel.size()));
    out.append("\r\n").append(channel).append("\r\n");
}

bool is_news(reply const& answer) noexcept { return answer.kind == reply::type::array && answer.text.starts_with("message\n"); }

std::optional<redis_address> decode_moved_primary(reply const& message, std::string_view primary)
{
    if (message.kind != reply::type::array) return std::nullopt;
    auto rest = message.text;
    if (next_line(rest) != "message") return std::nullopt;
    auto const channel = next_line(rest);
    auto words = next_line(rest);
    if (channel == "+switch-master") { // PRIMARY, the former host and port, the present ones
        if (next_until(' ', words) != primary) return std::nullopt;
        next_until(' ', words);
        next_until(' ', words);
        auto const host = next_until(' ', words);
        return address_of(host, words);
    }
    if (channel != "+promoted-slave" || next_until(' ', words) != "slave") return std::nullopt;
    next_until(' ', words); // the replica's name; then its host and port, @, PRIMARY, the former host and port
    auto const host = next_until(' ', words);
    auto const port = next_until(' ', words);
    if (next_until(' ', words) != "@" || next_until(' ', words) != primary) return std::nullopt;
    return address_of(host, port);
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
