#include "gateway/listening_socket.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/ip/address.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

namespace penstock::gateway {
namespace asio = boost::asio;
namespace {

constexpr int backlog = 4096;

base::error_code last_error() noexcept { return {errno, boost::system::system_category()}; }

std::optional<base::ip_address> address_of(sockaddr_storage const& storage) noexcept
{
    if (storage.ss_family == AF_INET) {
        base::ip_address::bytes_v4 bytes;
        std::memcpy(bytes.data(), &reinterpret_cast<sockaddr_in const&>(storage).sin_addr, bytes.size());
        return base::ip_address::from_v4(bytes);
    }
    if (storage.ss_family == AF_INET6) {
        base::ip_address::bytes_v6 bytes;
        std::memcpy(bytes.data(), &reinterpret_cast<sockaddr_in6 const&>(storage).sin6_addr, bytes.size());
        return base::ip_address::from_v6(bytes);
    }
    return std::nullopt;
}

// A socket file that nobody listens on any more is a leftover of a gateway that was killed.
void remove_stale_socket(sockaddr_un const& address) noexcept
{
    struct stat about {};
    if (::stat(address.sun_path, &about) != 0 || !S_ISSOCK(about.st_mode)) return;
    proxy::descriptor const probe(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    if (::connect(probe.get(), reinterpret_cast<sockaddr const*>(&address), sizeof address) != 0 && errno == ECONNREFUSED)
        ::unlink(address.sun_path);
}

base::result<proxy::descriptor> bind_unix(std::string const& path)
{
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (path.size() >= sizeof address.sun_path) return base::error_code{ENAMETOOLONG, boost::system::system_category()};
    std::ranges::copy(path, address.sun_path);
    remove_stale_socket(address);
    proxy::descriptor made(::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    if (!made.is_open() || ::bind(made.get(), reinterpret_cast<sockaddr const*>(&address), sizeof address) != 0 ||
        ::listen(made.get(), backlog) != 0)
        return last_error();
    return made;
}

} // namespace

base::error_code check_free(conf::bind_address const& address)
{
    if (!address.unix_path.empty() || address.port == 0) return {};
    base::error_code ec;
    auto const ip = asio::ip::make_address(address.host, ec);
    if (ec) return ec;
    asio::ip::tcp::endpoint const endpoint(ip, address.port);
    proxy::descriptor const probe(::socket(endpoint.protocol().family(), SOCK_STREAM | SOCK_CLOEXEC, 0));
    int const on = 1;
    ::setsockopt(probe.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (::bind(probe.get(), endpoint.data(), static_cast<socklen_t>(endpoint.size())) != 0) return last_error();
    return {};
}

base::result<proxy::descriptor> duplicate(proxy::descriptor const& socket)
{
    proxy::descriptor copy(::fcntl(socket.get(), F_DUPFD_CLOEXEC, 0));
    if (!copy.is_open()) return last_error();
    return copy;
}

std::uint16_t port_of(proxy::descriptor const& socket) noexcept
{
    sockaddr_storage storage{};
    socklen_t size = sizeof storage;
    if (::getsockname(socket.get(), reinterpret_cast<sockaddr*>(&storage), &size) != 0) return 0;
    if (storage.ss_family == AF_INET) return ntohs(reinterpret_cast<sockaddr_in const&>(storage).sin_port);
    if (storage.ss_family == AF_INET6) return ntohs(reinterpret_cast<sockaddr_in6 const&>(storage).sin6_port);
    return 0;
}

base::result<proxy::descriptor> bind_and_listen(conf::bind_address const& address, std::uint16_t port)
{
    if (!address.unix_path.empty()) return bind_unix(address.unix_path);
    base::error_code ec;
    auto const ip = asio::ip::make_address(address.host, ec);
    if (ec) return ec;
    asio::ip::tcp::endpoint const endpoint(ip, port);
    proxy::descriptor made(::socket(endpoint.protocol().family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    if (!made.is_open()) return last_error();
    int const on = 1;
    ::setsockopt(made.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (::setsockopt(made.get(), SOL_SOCKET, SO_REUSEPORT, &on, sizeof on) != 0) return last_error();
    if (::bind(made.get(), endpoint.data(), static_cast<socklen_t>(endpoint.size())) != 0 || ::listen(made.get(), backlog) != 0)
        return last_error();
    return made;
}

listening_socket::listening_socket(asio::io_context& worker, proxy::descriptor socket, conf::listener settings)
    : descriptor_(worker, socket.release()), settings_(std::move(settings))
{}

base::result<accepted_connection> listening_socket::try_accept()
{
    for (;;) {
        sockaddr_storage from{};
        socklen_t size = sizeof from;
        auto const fd =
            ::accept4(descriptor_.native_handle(), reinterpret_cast<sockaddr*>(&from), &size, SOCK_NONBLOCK | SOCK_CLOEXEC);
        proxy::descriptor socket(fd);
        if (fd < 0) {
            // The peer gave up before we came to it (accept(2)): look for the next one.
            if (errno == EINTR || errno == ECONNABORTED || errno == EPROTO || errno == EPERM) continue;
            return last_error();
        }
        if (from.ss_family == AF_INET || from.ss_family == AF_INET6) {
            int const on = 1;
            ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on); // without it only slower
        }
        return accepted_connection{std::move(socket), address_of(from)};
    }
}

asio::awaitable<base::result<accepted_connection>> listening_socket::accept()
{
    for (;;) {
        auto accepted = try_accept();
        if (accepted || (accepted.error() != asio::error::would_block && accepted.error() != asio::error::try_again))
            co_return accepted;
        auto const [ec] =
            co_await descriptor_.async_wait(asio::posix::stream_descriptor::wait_read, asio::as_tuple(asio::use_awaitable));
        if (ec) co_return ec;
    }
}

void listening_socket::close() noexcept
{
    base::error_code ignored; // the descriptor is released whatever close() says
    descriptor_.close(ignored);
}

} // namespace penstock::gateway
