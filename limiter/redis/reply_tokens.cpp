#include "limiter/redis/reply_tokens.hpp"

#include "limiter/redis/resp_parser.hpp"

#include <new>
#include <utility>

namespace penstock::limiter::redis {
namespace {

reply_token::kind kind_of(int type) noexcept
{
    switch (type) {
    case REDIS_REPLY_ARRAY: return reply_token::kind::array;
    case REDIS_REPLY_INTEGER: return reply_token::kind::integer;
    case REDIS_REPLY_NIL: return reply_token::kind::nil;
    case REDIS_REPLY_ERROR: return reply_token::kind::error;
    default: return reply_token::kind::text;
    }
}

struct token_list {
    std::vector<reply_token> tokens;

    bool take(redisReadTask const&, int type, std::int64_t number, std::string_view text) noexcept
    {
        auto const what = kind_of(type);
        auto const too_many =
            what == reply_token::kind::array && static_cast<std::uint64_t>(number) > token_reader::most_tokens;
        if (too_many || tokens.size() == token_reader::most_tokens) return false;
        try {
            tokens.push_back({what, number, std::string(text)});
        } catch (std::bad_alloc const&) {
            return false;
        }
        return true;
    }
};

} // namespace

struct token_reader::parser : resp_parser<token_list> {};

token_reader::token_reader() : parser_(std::make_unique<parser>()) {}

token_reader::~token_reader() = default;

base::error_code token_reader::feed(std::span<char const> bytes) noexcept
{
    fed_ += bytes.size();
    if (fed_ > most_bytes) return errc::protocol;
    return parser_->feed(bytes);
}

base::result<std::vector<reply_token>> token_reader::next()
{
    auto const whole = parser_->next();
    if (!whole) return whole.error();
    if (!*whole) return std::vector<reply_token>{};
    fed_ = 0;
    return std::exchange(parser_->sink.tokens, {});
}

} // namespace penstock::limiter::redis
