#include "limiter/redis/cluster_nodes.hpp"

#include "limiter/redis/error_reply.hpp"
#include "limiter/redis/password_file.hpp"
#include "limiter/redis/slots_outage.hpp"

#include <algorithm>
#include <utility>

namespace penstock::limiter::redis {
namespace {

void add(node_counts& to, node_counts const& more) noexcept
{
    to.commands += more.commands;
    to.connects += more.connects;
    to.losses += more.losses;
    to.connect_failures += more.connect_failures;
    to.pending += more.pending;
    for (std::size_t i = 0; i < to.errors.size(); ++i) to.errors[i] += more.errors[i];
}

// Begins and ends apart from what befalls nodes.
notice of_slots(std::string text)
{
    auto about = notice(std::move(text), "unowned");
    about.node = "slots";
    return about;
}

} // namespace

cluster_nodes::cluster_nodes(boost::asio::io_context& worker, redis_settings wanted, std::uint64_t seed, owner& of)
    : worker_(worker),
      settings_(std::move(wanted)),
      key_prefix_(settings_.probe_key.substr(0, settings_.probe_key.find('{'))),
      seed_(seed),
      owner_(of),
      map_(std::make_unique<slot_map>()),
      pace_(seed),
      due_(worker)
{
    if (settings_.tls) tls_ = *make_tls_context(*settings_.tls); // the configuration was checked with it
}

void cluster_nodes::adopt(redis_terms const& next)
{
    settings_.adopt(next);
    if (query_) query_->adopt(next);
    for (auto const& each : nodes_) each->store().adopt(next);
}

void cluster_nodes::try_at_once()
{
    for (auto const& each : nodes_) each->store().try_at_once();
    if (unowned_.count > 0) refresh(); // another may have learnt who has them
}

void cluster_nodes::stop()
{
    stopped_ = true;
    due_.cancel();
    if (auto const query = std::exchange(query_, nullptr)) query->cancel();
    for (auto const* all : {&nodes_, &retired_})
        for (auto const& each : *all) each->stop();
}

// ---- asking for the slots

void cluster_nodes::resume(refresh_pace::event what)
{
    if (stopped_) return;
    auto const next = pace_.resume(what, base::clock::now());
    if (next.ask)
        ask();
    else
        await(next.until);
}

void cluster_nodes::await(base::instant until)
{
    if (until == base::instant::max() || until == due_at_) return; // a question is under way, or it is awaited already
    due_at_ = until;
    due_.expires_at(until);
    due_.async_wait([this, alive = owner_.lifeline()](base::error_code cancelled) {
        auto const self = alive.lock();
        if (!self || cancelled) return;
        due_at_ = base::instant::max();
        resume(refresh_pace::event::timer);
    });
}

// Those that serve first, one after the other; then whoever may know.
std::vector<redis_address> cluster_nodes::whom_to_ask() const
{
    std::vector<redis_address> all;
    auto const add = [&all](redis_address const& one) {
        if (std::ranges::find(all, one) == all.end()) all.push_back(one);
    };
    for (auto const& each : nodes_)
        if (each->store().serving()) add(each->address());
    auto const serving = all.size();
    if (serving > 1) std::rotate(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(seed_ % serving), all.end());
    for (auto const& each : map_->replicas()) add(each);
    for (auto const& each : settings_.cluster_seeds) add(each);
    for (auto const& each : nodes_) add(each->address());
    return all;
}

void cluster_nodes::ask()
{
    auto const all = whom_to_ask();
    auto const whom = all[next_asked_ % all.size()];
    auto of = settings_;
    of.host = whom.host;
    of.port = whom.port;
    query_ =
        std::make_shared<slots_query>(worker_, std::move(of), tls_, [this, alive = owner_.lifeline(), whom](auto const& got) {
            if (auto const self = alive.lock()) answered(whom, got);
        });
    query_->start();
}

void cluster_nodes::answered(redis_address const& by, base::result<std::vector<reply_token>> const& got)
{
    auto const query = std::exchange(query_, nullptr);
    auto read = got ? slot_map::read(*got, by) : std::nullopt; // an error is none
    if (read && !read->primaries().empty()) {
        ++refreshes_;
        next_asked_ = 0;
        last_failure_.clear();
        auto const were_unowned = unowned_;
        adopt(std::make_unique<slot_map>(std::move(*read)));
        resume(unowned_.count == 0 ? refresh_pace::event::answered : refresh_pace::event::incomplete);
        // Until it is not, and until nothing changes: slots may be without an owner for as long as the operator likes.
        if (a_node_is_in_trouble() || unowned_ != were_unowned) refresh();
        return owner_.on_slots();
    }
    ++refreshes_failed_;
    ++next_asked_;
    read_password_again(got);
    auto const failure = failure_of(got, read.has_value());
    tell_failure(failure.why, "cannot learn the slots of the cluster from " + to_string(by) + ": " + failure.words);
    resume(refresh_pace::event::failed);
    if (!knows_slots()) owner_.on_no_slots(failure.why);
}

void cluster_nodes::read_password_again(base::result<std::vector<reply_token>> const& got)
{
    if (settings_.password_file.empty() || !got || got->front().what != reply_token::kind::error) return;
    if (errc_of(got->front().text) != errc::refused_login) return;
    if (auto changed = read_password(settings_.password_file)) settings_.password = std::move(*changed);
}

// Once for each kind while no slots are known, whatever the words; later the nodes themselves say what is wrong.
void cluster_nodes::tell_failure(errc why, std::string what)
{
    if (knows_slots()) return;
    last_failure_ = std::move(what);
    if (failures_.begins(outage_record::of::connection, why))
        owner_.tell_worse({last_failure_, "no slots: " + std::string(name_of(why))});
}

// ---- the nodes

void cluster_nodes::adopt(std::unique_ptr<slot_map> next)
{
    map_ = std::move(next);
    unowned_ = map_->unowned();
    use_map(base::clock::now());
    review();
}

// Connections to all owners of slots, and in the end to nobody else.
void cluster_nodes::use_map(base::instant now)
{
    owners_.clear();
    for (auto const& address : map_->primaries()) {
        auto* node = find_or_add(address);
        if (node) node->last_owned_at = now;
        owners_.push_back(node);
    }
    auto gone = nodes{};
    std::erase_if(nodes_, [&](auto const& each) {
        auto const in_use = each->last_owned_at == now ||
                            (now - each->last_owned_at < unowned_for && (each->store().serving() || each->is_new()));
        if (!in_use) gone.push_back(each);
        return !in_use;
    });
    for (auto const& each : gone) retire(each);
    std::erase_if(retired_, [](auto const& each) { return !each->store().held_permits().holds_any(); });
    for (std::size_t i = 0; i < owners_.size(); ++i) {
        if (!owners_[i]) continue;
        auto const index = static_cast<slot_map::node_index>(i);
        auto const key = key_in_slot(key_prefix_, [&](auto slot) { return map_->owner_of(slot) == index; });
        if (!key.empty()) owners_[i]->store().probe_with(key);
    }
}

void cluster_nodes::retire(std::shared_ptr<cluster_node> const& which)
{
    which->retire();
    add(of_retired_, which->store().count());
    of_retired_.pending = 0;
    if (which->store().held_permits().holds_any()) retired_.push_back(which);
}

cluster_node* cluster_nodes::find_or_add(redis_address const& address)
{
    auto const known = std::ranges::find(nodes_, address, [](auto const& each) { return each->address(); });
    if (known != nodes_.end()) return known->get();
    if (nodes_.size() == most_nodes) return nullptr;
    auto of = settings_;
    of.cluster_seeds.clear();
    of.host = address.host;
    of.port = address.port;
    auto made = std::make_shared<cluster_node>(worker_, owner_);
    made->start(std::move(of), tls_, seed_ + 0x9E37 * (nodes_.size() + 1));
    made->last_owned_at = base::clock::now();
    nodes_.push_back(std::move(made));
    return nodes_.back().get();
}

cluster_node* cluster_nodes::node_at(redis_address address, cluster_node const& said_by)
{
    if (address.host.empty()) address.host = said_by.address().host;
    return stopped_ ? nullptr : find_or_add(address);
}

void cluster_nodes::moved(cluster_slot slot, cluster_node& to)
{
    if (!map_->move(slot, to.address())) return;
    if (map_->primaries().size() > owners_.size()) owners_.push_back(&to);
    to.last_owned_at = base::clock::now();
}

cluster_node* cluster_nodes::holder_of(std::string_view key) const noexcept
{
    for (auto const* all : {&nodes_, &retired_}) {
        for (auto const& each : *all)
            if (each->store().held_permits().holds(key)) return each.get();
    }
    return nullptr;
}

// ---- what there is to say of them

bool cluster_nodes::a_node_is_in_trouble() const noexcept
{
    return std::ranges::any_of(nodes_, [](auto const& each) { return each->in_trouble(); }) ||
           std::ranges::find(owners_, nullptr) != owners_.end();
}

bool cluster_nodes::is_well() const noexcept
{
    auto const serves = [](auto const* each) { return each->store().serving(); };
    return knows_slots() && unowned_.count == 0 && !a_node_is_in_trouble() && std::ranges::all_of(owners_, serves);
}

// One trouble may last long, and hides neither the beginning nor the end of another.
void cluster_nodes::review()
{
    auto const slots_returned = unowned_.count == 0 && std::exchange(told_unowned_, false);
    std::vector<notice> good_news;
    for (auto const& each : nodes_)
        if (auto news = each->take_good_news()) good_news.push_back(std::move(*news));
    if (is_well()) {
        if (std::exchange(all_well_, true)) return;
        return owner_.tell_better({"connected to the cluster: " + std::to_string(owner_count()) + " nodes, all slots"});
    }
    all_well_ = false;
    if (slots_returned) good_news.push_back(of_slots("every slot of the cluster has an owner"));
    for (auto const& each : good_news) owner_.tell_better(each);
    if (unowned_.count > 0 && !std::exchange(told_unowned_, true)) owner_.tell_worse(of_slots(about_unowned()));
}

std::string cluster_nodes::about_unowned() const
{
    auto const first = std::to_string(unowned_.first);
    if (unowned_.count == 1) return "slot " + first + " of the cluster has no owner";
    return std::to_string(unowned_.count) + " slots of the cluster have no owner, " + first + " the first of them";
}

bool cluster_nodes::any_serves() const noexcept
{
    return std::ranges::any_of(nodes_, [](auto const& each) { return each->store().serving(); });
}

std::size_t cluster_nodes::owner_count() const noexcept
{
    std::vector<bool> owns(owners_.size());
    std::size_t count = 0;
    for (std::size_t slot = 0; slot < slot_count; ++slot) {
        auto const index = map_->owner_of(static_cast<cluster_slot>(slot));
        if (index == slot_map::nobody || owns[index]) continue;
        owns[index] = true;
        ++count;
    }
    return count;
}

node_counts cluster_nodes::count() const
{
    auto total = of_retired_;
    if (!knows_slots()) total.trouble = last_failure_;
    for (auto const& each : nodes_) add(total, each->store().count());
    total.up = knows_slots() && unowned_.count == 0;
    for (auto const* each : owners_) {
        if (!each) continue;
        auto const one = each->store().count();
        total.up = total.up && one.up;
        total.breaker_state = std::max(total.breaker_state, one.breaker_state);
        if (total.trouble.empty()) total.trouble = one.trouble;
    }
    if (total.trouble.empty() && unowned_.count > 0) total.trouble = about_unowned();
    return total;
}

} // namespace penstock::limiter::redis
