#include "limiter/redis/reply_reader.hpp"

#include "limiter/redis/resp_parser.hpp"

#include <algorithm>
#include <array>
#include <cstring>

namespace penstock::limiter::redis {
namespace {

reply::type type_of(int type) noexcept
{
    switch (type) {
    case REDIS_REPLY_STRING: return reply::type::bulk;
    case REDIS_REPLY_STATUS: return reply::type::status;
    case REDIS_REPLY_ERROR: return reply::type::error;
    case REDIS_REPLY_ARRAY: return reply::type::array;
    default: return reply::type::other;
    }
}

struct latest_reply {
    redis::reply reply;
    std::array<char, reply_reader::longest> text;

    bool take(redisReadTask const& task, int type, std::int64_t, std::string_view bytes) noexcept
    {
        if (task.parent != nullptr)
            take_inside(task, type_of(type), bytes);
        else
            take_whole(type_of(type), bytes);
        return true;
    }

private:
    void take_whole(reply::type kind, std::string_view bytes) noexcept
    {
        auto const kept = std::min(bytes.size(), text.size());
        if (kept > 0) std::memcpy(text.data(), bytes.data(), kept);
        reply = {kind, {text.data(), kept}, bytes.size()};
    }
    // Of what is inside an array, the strings directly in it are kept.
    void take_inside(redisReadTask const& task, reply::type kind, std::string_view bytes) noexcept
    {
        auto const is_string = kind == reply::type::bulk || kind == reply::type::status;
        auto const used = reply.text.size();
        if (task.parent->parent != nullptr || !is_string || used + bytes.size() + 1 > text.size()) return;
        if (!bytes.empty()) std::memcpy(text.data() + used, bytes.data(), bytes.size());
        text[used + bytes.size()] = '\n';
        reply.text = {text.data(), used + bytes.size() + 1};
        reply.size = reply.text.size();
    }
};

} // namespace

struct reply_reader::parser : resp_parser<latest_reply> {};

reply_reader::reply_reader() : parser_(std::make_unique<parser>()) {}

reply_reader::~reply_reader() = default;

base::error_code reply_reader::feed(std::span<char const> bytes) noexcept
{
    // What is left over after next() is part of one reply; one so long is none that we asked for.
    if (parser_->left_over() > 2 * longest) return errc::protocol;
    return parser_->feed(bytes);
}

base::result<std::optional<reply>> reply_reader::next() noexcept
{
    auto const whole = parser_->next();
    if (!whole) return whole.error();
    if (!*whole) return std::optional<reply>{};
    return std::optional{parser_->sink.reply};
}

} // namespace penstock::limiter::redis
