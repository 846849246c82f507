#include "gateway/service_notice.hpp"

#include "base/clock.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdlib>
#include <string_view>

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

namespace penstock::gateway {
namespace {

void send(std::string_view text)
{
    auto const* const name = std::getenv("NOTIFY_SOCKET");
    if (!name) return;
    std::string_view const path(name);
    sockaddr_un to{};
    to.sun_family = AF_UNIX;
    if (path.empty() || path.size() >= sizeof to.sun_path) return;
    std::ranges::copy(path, to.sun_path);
    if (path.front() == '@') to.sun_path[0] = '\0'; // the abstract namespace
    auto const fd = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0) return;
    auto const size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + path.size());
    // Nobody listening is not this program's trouble.
    static_cast<void>(
        ::sendto(fd, text.data(), text.size(), MSG_DONTWAIT | MSG_NOSIGNAL, reinterpret_cast<sockaddr const*>(&to), size));
    ::close(fd);
}

} // namespace

void notify_ready() { send("READY=1"); }

void notify_reloading() { send("RELOADING=1\nMONOTONIC_USEC=" + std::to_string(base::monotonic_us())); }

void notify_stopping() { send("STOPPING=1"); }

} // namespace penstock::gateway
