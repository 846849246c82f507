#include "auth/web_address.hpp"

#include "base/ip_address.hpp"

#include <boost/url/parse.hpp>

#include <charconv>

namespace penstock::auth {
namespace {

// Between the slashes and the path, the query or the fragment (RFC 3986 3.2).
std::string_view authority_in(std::string_view url) noexcept
{
    auto const slashes = url.find("//");
    if (slashes == std::string_view::npos) return {};
    url.remove_prefix(slashes + 2);
    return url.substr(0, url.find_first_of("/?#"));
}

bool is_port(std::string_view text) noexcept
{
    constexpr unsigned most = 65'535;
    unsigned number = 0;
    auto const read = std::from_chars(text.data(), text.data() + text.size(), number);
    return read.ec == std::errc{} && read.ptr == text.data() + text.size() && number >= 1 && number <= most;
}

} // namespace

bool web_address::is_loopback() const noexcept
{
    auto const address = base::ip_address::parse(host);
    static auto const v4 = base::ip_network::parse("127.0.0.0/8");
    static auto const v6 = base::ip_network::parse("::1/128");
    return host == "localhost" || (address && (v4->contains(*address) || v6->contains(*address)));
}

std::optional<web_address> parse_web_address(std::string_view url)
{
    auto const parsed = boost::urls::parse_absolute_uri(url);
    if (!parsed || parsed->has_userinfo() || parsed->host_type() == boost::urls::host_type::ipvfuture) return std::nullopt;
    // Boost.URL 1.81 ends a host that begins with an IPv4 address behind it, and takes the rest for the path: the keys would
    // come from whoever has that address.
    if (std::string_view(parsed->encoded_authority()) != authority_in(url)) return std::nullopt;
    if (parsed->has_port() && !is_port(parsed->port())) return std::nullopt;
    web_address made;
    if (parsed->scheme_id() == boost::urls::scheme::https)
        made.how = web_address::scheme::https;
    else if (parsed->scheme_id() == boost::urls::scheme::http)
        made.how = web_address::scheme::http;
    else
        return std::nullopt;
    made.host = parsed->host_address();
    made.authority = std::string(parsed->encoded_host_and_port());
    made.port = parsed->has_port() ? std::string(parsed->port()) : made.how == web_address::scheme::https ? "443" : "80";
    made.target = std::string(parsed->encoded_target());
    if (made.target.empty() || made.target.front() != '/') made.target.insert(0, "/");
    if (made.host.empty() || made.host.find('\0') != std::string::npos) return std::nullopt;
    return made;
}

} // namespace penstock::auth
