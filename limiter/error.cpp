#include "limiter/error.hpp"

#include <string>

namespace penstock::limiter {
namespace {

// Categories are never destroyed through their base, whose destructor is not virtual on purpose.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wnon-virtual-dtor"
class limiter_category final : public boost::system::error_category {
public:
    [[nodiscard]] char const* name() const noexcept override { return "penstock.limiter"; }
    [[nodiscard]] std::string message(int value) const override
    {
        switch (static_cast<errc>(value)) {
        case errc::timed_out: return "the store did not answer in time";
        case errc::not_connected: return "no connection to the store";
        case errc::breaker_open: return "the breaker is open";
        case errc::overloaded: return "too many checks are waiting";
        case errc::loading: return "the store is loading its data";
        case errc::read_only: return "the store is a replica";
        case errc::cluster: return "the cluster does not serve this key here";
        case errc::out_of_memory: return "the store is out of memory";
        case errc::busy: return "the store is busy with a script";
        case errc::refused_login: return "the store refused the login or the permission";
        case errc::script: return "the script failed";
        case errc::protocol: return "the store's answer makes no sense";
        case errc::no_writes: return "the store refuses to write";
        case errc::too_many_clients: return "the store has no connection left";
        case errc::tls: return "no trusted connection to the store";
        case errc::no_primary: return "no sentinel knows a primary";
        }
        return "unknown";
    }
};
#pragma GCC diagnostic pop

} // namespace

boost::system::error_category const& error_category() noexcept
{
    static limiter_category const category;
    return category;
}

base::error_code make_error_code(errc code) noexcept { return {static_cast<int>(code), error_category()}; }

std::string_view name_of(errc code) noexcept
{
    switch (code) {
    case errc::timed_out: return "timed_out";
    case errc::not_connected: return "not_connected";
    case errc::breaker_open: return "breaker_open";
    case errc::overloaded: return "overloaded";
    case errc::loading: return "loading";
    case errc::read_only: return "read_only";
    case errc::cluster: return "cluster";
    case errc::out_of_memory: return "out_of_memory";
    case errc::busy: return "busy";
    case errc::refused_login: return "refused_login";
    case errc::script: return "script";
    case errc::protocol: return "protocol";
    case errc::no_writes: return "no_writes";
    case errc::too_many_clients: return "too_many_clients";
    case errc::tls: return "tls";
    case errc::no_primary: return "no_primary";
    }
    return "unknown";
}

} // namespace penstock::limiter
