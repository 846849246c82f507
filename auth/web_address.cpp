#include "auth/web_address.hpp"

#include "base/ip_address.hpp"

#include <boost/url/parse.hpp>

namespace penstock::auth {

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
    if (made.host.empty() || made.host.find('\0') != std::string::npos || made.port.empty()) return std::nullopt;
    return made;
}

} // namespace penstock::auth
