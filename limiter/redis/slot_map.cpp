#include "limiter/redis/slot_map.hpp"

#include <algorithm>

namespace penstock::limiter::redis {
namespace {

using kind = reply_token::kind;

// Reads the tokens of a reply one after the other; whatever is not as expected makes it fail, and then stay so.
class token_cursor {
public:
    explicit token_cursor(std::span<reply_token const> tokens) noexcept : rest_(tokens) {}

    [[nodiscard]] bool failed() const noexcept { return failed_; }
    [[nodiscard]] bool at_end() const noexcept { return rest_.empty(); }

    std::int64_t number(kind wanted, std::int64_t least, std::int64_t most) noexcept
    {
        auto const* token = next();
        if (token && token->what == wanted && token->number >= least && token->number <= most) return token->number;
        failed_ = true;
        return least;
    }
    std::string text_or_nil() noexcept
    {
        auto const* token = next();
        if (token && token->what == kind::text) return token->text;
        if (!token || token->what != kind::nil) failed_ = true;
        return {};
    }
    // Whatever comes next, with all that is in it.
    void skip() noexcept
    {
        for (std::int64_t due = 1; due > 0 && !failed_; --due) {
            auto const* token = next();
            if (token && token->what == kind::array) due += token->number;
        }
    }

private:
    reply_token const* next() noexcept
    {
        if (rest_.empty()) {
            failed_ = true;
            return nullptr;
        }
        auto const* token = &rest_.front();
        rest_ = rest_.subspan(1);
        return token;
    }

    std::span<reply_token const> rest_;
    bool failed_ = false;
};

constexpr std::int64_t any_size = 1'000'000;

redis_address read_node(token_cursor& from, redis_address const& said_by)
{
    auto const parts = from.number(kind::array, 2, any_size);
    redis_address node{from.text_or_nil(), 0};
    node.port = static_cast<std::uint16_t>(from.number(kind::integer, 1, 65535));
    for (std::int64_t i = 2; i < parts && !from.failed(); ++i) from.skip(); // its id, other names of it
    if (node.host.empty() || node.host == "?") node.host = said_by.host;
    return node;
}

} // namespace

std::optional<slot_map> slot_map::read(std::span<reply_token const> slots, redis_address const& from)
{
    slot_map made;
    token_cursor tokens(slots);
    auto const ranges = tokens.number(kind::array, 0, any_size);
    for (std::int64_t i = 0; i < ranges && !tokens.failed(); ++i) {
        auto const parts = tokens.number(kind::array, 3, any_size);
        auto const first = tokens.number(kind::integer, 0, slot_count - 1);
        auto const last = tokens.number(kind::integer, first, slot_count - 1);
        auto const owner = made.find_or_add(read_node(tokens, from));
        if (owner == nobody) return std::nullopt;
        std::fill(made.owner_.begin() + first, made.owner_.begin() + last + 1, owner);
        for (std::int64_t k = 3; k < parts && !tokens.failed(); ++k) {
            auto const replica = read_node(tokens, from);
            if (made.replicas_.size() < most_nodes && std::ranges::find(made.replicas_, replica) == made.replicas_.end())
                made.replicas_.push_back(replica);
        }
    }
    if (tokens.failed() || !tokens.at_end()) return std::nullopt;
    return made;
}

slot_map::gap slot_map::unowned() const noexcept
{
    auto const first = std::ranges::find(owner_, nobody);
    if (first == owner_.end()) return {};
    return {static_cast<std::size_t>(std::count(first, owner_.end(), nobody)),
            static_cast<cluster_slot>(first - owner_.begin())};
}

bool slot_map::move(cluster_slot slot, redis_address const& to)
{
    auto const owner = find_or_add(to);
    if (owner == nobody) return false;
    owner_[slot] = owner;
    return true;
}

slot_map::node_index slot_map::find_or_add(redis_address const& primary)
{
    auto const known = std::ranges::find(primaries_, primary);
    auto const index = known - primaries_.begin();
    if (known == primaries_.end()) {
        if (primaries_.size() == most_nodes) return nobody;
        primaries_.push_back(primary);
    }
    return static_cast<node_index>(index);
}

} // namespace penstock::limiter::redis
