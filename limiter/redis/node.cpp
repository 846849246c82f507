#include "limiter/redis/node.hpp"

#include <algorithm>
#include <utility>

namespace penstock::limiter {

redis_store::node::node(boost::asio::io_context& worker, redis_settings wanted, std::uint64_t seed, state_listener changes,
                        redis::shared_parts shared)
    : worker_(worker),
      settings_(std::move(wanted)),
      listener_(std::move(changes)),
      link_(worker, settings_, seed, *this, std::move(shared)),
      circuit_(worker, settings_, ~seed, *this)
{}

void redis_store::node::adopt(redis_terms const& next)
{
    settings_.adopt(next);
    link_.adopt_terms();
    circuit_.adopt(next);
}

void redis_store::node::try_at_once()
{
    link_.try_at_once();
    circuit_.probe_at_once();
}

void redis_store::node::stop()
{
    circuit_.stop();
    link_.stop();
}

redis_store::counts redis_store::node::count() const
{
    auto counted = counts_;
    link_.report(counted);
    counted.breaker_state = static_cast<unsigned>(circuit_.now_in());
    return counted;
}

std::optional<errc> redis_store::node::why_not() const noexcept
{
    if (!circuit_.may_ask()) return errc::breaker_open;
    if (!link_.serving()) return errc::not_connected;
    if (link_.full()) return errc::overloaded;
    return std::nullopt;
}

void redis_store::node::ask(std::span<claim const> asked, base::instant deadline, redis::waiter& who, bool behind_asking)
{
    if (auto const refused = why_not()) {
        on_trouble(*refused);
        who.answer(*refused);
        return who.wake(redis::resumption::later);
    }
    link_.ask(asked, std::min(deadline, base::clock::now() + settings_.check_timeout), who, behind_asking);
}

void redis_store::node::waited_in_vain()
{
    if (!link_.stopped()) circuit_.failed(errc::not_connected, "no connection within the time of a check");
}

void redis_store::node::send_probe(std::span<claim const> asked, redis::waiter& who)
{
    link_.ask(asked, base::clock::now() + settings_.check_timeout, who);
}

void redis_store::node::on_serving()
{
    auto const trust = outage_.ongoing() ? redis::circuit::trust::when_proven : redis::circuit::trust::at_once;
    outage_.connected();
    if (!outage_.ongoing()) tell(redis::change::better, {"connected to " + link_.target()});
    circuit_.connected(trust);
}

void redis_store::node::on_lost(redis::link::loss const& what)
{
    auto const kind = what.why.category() == error_category() ? static_cast<errc>(what.why.value()) : errc::not_connected;
    auto text = (what.served ? "lost the connection to " : "cannot use ") + link_.target() + ": ";
    text += what.words.empty() ? what.why.message() : what.words;
    if (outage_.begins(redis::outage_record::of::connection, kind))
        tell(redis::change::worse, {std::move(text), "connection " + std::string(name_of(kind))});
    if (what.served) return; // it is judged by the checks that it owes
    on_trouble(kind);
    circuit_.failed(kind, what.words);
}

void redis_store::node::on_opened(errc why, std::string_view words)
{
    link_.held_permits().pause();
    auto text = "breaker open: " + std::string(name_of(why));
    if (!words.empty()) text.append(": ").append(words);
    if (outage_.begins(redis::outage_record::of::breaker, why))
        tell(redis::change::worse, {std::move(text), "breaker " + std::string(name_of(why))});
}

void redis_store::node::on_recovered()
{
    link_.held_permits().resume(); // behind the probe: the replies to everything older have come
    if (!outage_.ongoing()) return;
    using of = redis::outage_record::of;
    std::string text;
    if (outage_.had(of::connection)) text = "connected to " + link_.target();
    if (outage_.had(of::breaker)) text += text.empty() ? "breaker closed" : ", breaker closed";
    outage_.ends();
    tell(redis::change::better, text);
}

void redis_store::node::on_answered(redis::waiter const& who, std::string_view words)
{
    if (circuit_.is_probe(who)) return circuit_.hear(words); // it judges by itself
    auto const& answer = who.answered();
    if (!who.is_of_a_caller()) {
        if (!answer) on_background_trouble(answer.error(), words);
        return;
    }
    if (answer) {
        circuit_.succeeded();
        if (outage_.ongoing() && circuit_.may_ask()) on_recovered();
        return;
    }
    auto const why = static_cast<errc>(answer.error().value());
    on_trouble(answer.error());
    if (why == errc::script) remark(why, words);
    circuit_.failed(why, words);
}

void redis_store::node::on_background_trouble(base::error_code why, std::string_view words)
{
    on_trouble(why);
    if (why == errc::script || why == errc::refused_login) remark(static_cast<errc>(why.value()), words);
}

void redis_store::node::remark(errc why, std::string_view words)
{
    if (!outage_.remarks(why) || !listener_) return;
    auto text = "calls fail: " + std::string(name_of(why));
    if (!words.empty()) text.append(": ").append(words);
    listener_(redis::change::remark, {std::move(text), "calls " + std::string(name_of(why))});
}

// Counted each time; whoever listens says it once.
void redis_store::node::on_deaf(base::error_code why, std::string const& words)
{
    on_trouble(why);
    if (listener_) listener_(redis::change::remark, {words, "watch"});
}

void redis_store::node::on_trouble(base::error_code why)
{
    if (why.category() != error_category()) return;
    auto const index = static_cast<std::size_t>(why.value());
    if (index < counts_.errors.size()) ++counts_.errors[index];
}

void redis_store::node::tell(redis::change direction, redis::notice const& what)
{
    if (listener_) listener_(direction, what);
    counts_.trouble = direction == redis::change::worse ? what.text : std::string{};
}

} // namespace penstock::limiter
