#include "limiter/redis/node.hpp"

#include <algorithm>
#include <utility>

namespace penstock::limiter {

redis_store::node::node(boost::asio::io_context& worker, redis_settings wanted, std::uint64_t seed, state_listener changes)
    : worker_(worker),
      settings_(std::move(wanted)),
      listener_(std::move(changes)),
      link_(worker, settings_, seed, *this),
      circuit_(worker, settings_, ~seed, *this)
{}

void redis_store::node::stop()
{
    circuit_.stop();
    link_.stop();
}

redis_store::counts redis_store::node::count() const noexcept
{
    auto counted = counts_;
    counted.commands = link_.commands();
    counted.connects = link_.connects();
    counted.up = link_.serving();
    counted.breaker_state = static_cast<unsigned>(circuit_.now_in());
    return counted;
}

// Why nothing can be asked now, if so.
std::optional<errc> redis_store::node::refusal() noexcept
{
    std::optional<errc> why;
    if (!circuit_.may_ask())
        why = errc::breaker_open;
    else if (!link_.serving())
        why = errc::not_connected;
    else if (link_.full())
        why = errc::overloaded;
    if (why) on_trouble(*why);
    return why;
}

void redis_store::node::ask(std::span<claim const> asked, base::instant deadline, redis::waiter& who)
{
    if (auto const refused = refusal()) {
        who.answer(*refused);
        return who.wake(redis::resumption::later);
    }
    link_.ask(asked, std::min(deadline, base::clock::now() + settings_.check_timeout), who);
}

void redis_store::node::send_probe(std::span<claim const> asked, redis::waiter& who)
{
    link_.ask(asked, base::clock::now() + settings_.check_timeout, who);
}

void redis_store::node::on_unreachable(base::error_code why, std::string_view words)
{
    auto const ours = why.category() == error_category();
    on_trouble(ours ? why : make_error_code(errc::not_connected));
    circuit_.failed(why == errc::refused_login ? errc::refused_login : errc::not_connected, words);
}

void redis_store::node::on_answered(redis::waiter const& who, std::string_view words)
{
    if (circuit_.is_probe(who)) return; // judged by the circuit itself
    auto const& answer = who.answered();
    if (answer) return circuit_.succeeded();
    on_trouble(answer.error());
    circuit_.failed(static_cast<errc>(answer.error().value()), words);
}

void redis_store::node::on_trouble(base::error_code why)
{
    if (why.category() != error_category()) return;
    auto const index = static_cast<std::size_t>(why.value());
    if (index < counts_.errors.size()) ++counts_.errors[index];
}

void redis_store::node::tell(redis::change direction, std::string const& what) const
{
    if (listener_) listener_(direction, what);
}

} // namespace penstock::limiter
