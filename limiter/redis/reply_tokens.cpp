#include "limiter/redis/reply_tokens.hpp"

#include "limiter/error.hpp"

#include <hiredis/read.h>

#include <new>
#include <utility>

namespace penstock::limiter::redis {

// What hiredis has seen of the reply that it is putting together. A null that is handed back ends the parsing.
struct token_reader::parsed {
    std::vector<reply_token> tokens;
    redisReplyObjectFunctions functions{};

    parsed() noexcept
    {
        functions.createString = &on_string;
        functions.createArray = &on_array; // its count is an int in hiredis 0.14, a size_t in 1.x
        functions.createInteger = &on_integer;
        functions.createNil = &on_nil;
        functions.freeObject = &on_free;
    }

    static void* keep(redisReadTask const* task, reply_token::kind what, std::int64_t number, std::string_view text) noexcept
    {
        auto& self = *static_cast<parsed*>(task->privdata);
        if (self.tokens.size() == most_tokens) return nullptr;
        try {
            self.tokens.push_back({what, number, std::string(text)});
        } catch (std::bad_alloc const&) {
            return nullptr;
        }
        return &self;
    }
    static void* on_string(redisReadTask const* task, char* bytes, std::size_t size) noexcept
    {
        auto const error = task->type == REDIS_REPLY_ERROR;
        return keep(task, error ? reply_token::kind::error : reply_token::kind::text, 0, {bytes, size});
    }
    template <class Count>
    static void* on_array(redisReadTask const* task, Count count) noexcept
    {
        if (static_cast<std::size_t>(count) > most_tokens) return nullptr;
        return keep(task, reply_token::kind::array, static_cast<std::int64_t>(count), {});
    }
    static void* on_integer(redisReadTask const* task, long long value) noexcept
    {
        return keep(task, reply_token::kind::integer, value, {});
    }
    static void* on_nil(redisReadTask const* task) noexcept { return keep(task, reply_token::kind::nil, 0, {}); }
    static void on_free(void*) noexcept {}
};

token_reader::token_reader() : parsed_(std::make_unique<parsed>()), reader_(redisReaderCreateWithFunctions(&parsed_->functions))
{
    if (!reader_) throw std::bad_alloc();
    reader_->privdata = parsed_.get();
}

token_reader::~token_reader() = default;

void token_reader::free_reader::operator()(redisReader* reader) const noexcept { redisReaderFree(reader); }

base::error_code token_reader::feed(std::span<char const> bytes) noexcept
{
    fed_ += bytes.size();
    if (fed_ > most_bytes || redisReaderFeed(reader_.get(), bytes.data(), bytes.size()) != 0) return errc::protocol;
    return {};
}

base::result<std::vector<reply_token>> token_reader::next()
{
    void* whole = nullptr;
    if (redisReaderGetReply(reader_.get(), &whole) != 0) return errc::protocol;
    if (!whole) return std::vector<reply_token>{};
    if (whole != parsed_.get()) return errc::protocol; // of a type that hiredis knows and we do not
    fed_ = 0;
    return std::exchange(parsed_->tokens, {});
}

} // namespace penstock::limiter::redis
