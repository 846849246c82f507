#include "limiter/redis/codec.hpp"

#include <hiredis/read.h>

#include <algorithm>
#include <bit>
#include <charconv>
#include <cstring>

namespace penstock::limiter::redis {
namespace {

static_assert(std::endian::native == std::endian::little, "arguments and replies are little-endian, copied as they are");

constexpr std::int64_t word = sizeof(std::int64_t);
constexpr std::size_t reply_head = 2 * word;  // now_us, allowed
constexpr std::size_t reply_claim = 4 * word; // allowed, remaining, reset_us, retry_us
static_assert(reply_head + max_claims * reply_claim <= reply_reader::longest);

void append_number(std::string& out, char prefix, std::size_t number)
{
    char digits[24];
    digits[0] = prefix;
    auto* end = std::to_chars(digits + 1, digits + 20, number).ptr;
    *end++ = '\r';
    *end++ = '\n';
    out.append(digits, end);
}

void append_bulk(std::string& out, std::string_view bytes)
{
    append_number(out, '$', bytes.size());
    out.append(bytes);
    out.append("\r\n");
}

void append_decimal(std::string& out, std::int64_t number)
{
    char digits[24];
    append_bulk(out, {digits, std::to_chars(digits, digits + sizeof digits, number).ptr});
}

// One claim as lua/acquire.lua unpacks it: a byte, then doubles, which are exact below 2^53.
class packed_claim {
public:
    explicit packed_claim(claim const& asked) noexcept
    {
        auto const& limit = asked.algorithm();
        auto const* bucket = std::get_if<token_bucket>(&limit);
        unsigned kind = 2;
        if (bucket) kind = bucket->interval_num == 0 ? 0 : 1;
        if (asked.policy->enforce == enforcement::shadow) kind += 128;
        bytes_[size_++] = static_cast<char>(kind);
        push(asked.cost);
        if (bucket) {
            push(bucket->capacity);
            push(bucket->interval_us);
            if (bucket->interval_num != 0) {
                push(bucket->interval_num);
                push(bucket->interval_den);
            }
        } else {
            auto const& window = std::get<fixed_window>(limit);
            push(window.limit);
            push(window.window_us);
        }
    }
    [[nodiscard]] std::string_view view() const noexcept { return {bytes_.data(), size_}; }

private:
    void push(std::int64_t number) noexcept
    {
        auto const value = static_cast<double>(number);
        std::memcpy(bytes_.data() + size_, &value, sizeof value);
        size_ += sizeof value;
    }
    std::array<char, 1 + 5 * sizeof(double)> bytes_;
    std::size_t size_ = 0;
};

std::int64_t word_at(std::string_view bytes, std::size_t offset) noexcept
{
    std::int64_t value = 0;
    std::memcpy(&value, bytes.data() + offset, sizeof value);
    return value;
}

} // namespace

void append_acquire(std::string& out, calling how, std::span<claim const> asked, base::instant const* test_now)
{
    auto const& script = scripts::acquire;
    append_number(out, '*', 3 + 2 * asked.size() + (test_now ? 1 : 0));
    if (how == calling::by_digest) {
        append_bulk(out, "EVALSHA");
        append_bulk(out, script.sha1);
    } else {
        append_bulk(out, "EVAL");
        append_bulk(out, script.text);
    }
    append_decimal(out, static_cast<std::int64_t>(asked.size()));
    for (auto const& one : asked) append_bulk(out, one.key.view());
    for (auto const& one : asked) append_bulk(out, packed_claim{one}.view());
    if (test_now) append_decimal(out, base::since_epoch_us(*test_now));
}

void append_script(std::string& out, calling how, script_call const& call)
{
    append_number(out, '*', 5 + (call.test_now ? 1 : 0));
    append_bulk(out, how == calling::by_digest ? "EVALSHA" : "EVAL");
    append_bulk(out, how == calling::by_digest ? call.what->sha1 : call.what->text);
    append_decimal(out, 1);
    append_bulk(out, call.key);
    append_bulk(out, call.arguments);
    if (call.test_now) append_decimal(out, base::since_epoch_us(*call.test_now));
}

void append_auth(std::string& out, std::string_view user, std::string_view password)
{
    append_number(out, '*', user.empty() ? 2 : 3);
    append_bulk(out, "AUTH");
    if (!user.empty()) append_bulk(out, user);
    append_bulk(out, password);
}

void append_select(std::string& out, unsigned database)
{
    append_number(out, '*', 2);
    append_bulk(out, "SELECT");
    append_decimal(out, database);
}

void append_ping(std::string& out) { out.append("*1\r\n$4\r\nPING\r\n"); }

// The reply that hiredis is putting together. Its text is copied out at once, because hiredis moves its buffer when a reply
// is complete.
struct reply_reader::parsed {
    redis::reply reply;
    std::array<char, longest> text;
    redisReplyObjectFunctions functions{};

    parsed() noexcept
    {
        functions.createString = &on_string;
        functions.createArray = &on_array; // its count is an int in hiredis 0.14, a size_t in 1.x
        functions.createInteger = &on_integer;
        functions.createNil = &on_nil;
        functions.freeObject = &on_free;
    }

    // Anything inside an array counts as the array, which no command of ours answers.
    static void* keep(redisReadTask const* task, reply::type kind, std::string_view bytes) noexcept
    {
        auto& self = *static_cast<parsed*>(task->privdata);
        if (task->parent) return &self;
        auto const kept = std::min(bytes.size(), longest);
        if (kept > 0) std::memcpy(self.text.data(), bytes.data(), kept);
        self.reply = {kind, {self.text.data(), kept}, bytes.size()};
        return &self;
    }
    static void* on_string(redisReadTask const* task, char* bytes, std::size_t size) noexcept
    {
        auto kind = reply::type::bulk;
        if (task->type == REDIS_REPLY_STATUS) kind = reply::type::status;
        if (task->type == REDIS_REPLY_ERROR) kind = reply::type::error;
        return keep(task, kind, {bytes, size});
    }
    template <class Count>
    static void* on_array(redisReadTask const* task, Count) noexcept
    {
        return keep(task, reply::type::other, {});
    }
    static void* on_integer(redisReadTask const* task, long long) noexcept { return keep(task, reply::type::other, {}); }
    static void* on_nil(redisReadTask const* task) noexcept { return keep(task, reply::type::other, {}); }
    static void on_free(void*) noexcept {}
};

reply_reader::reply_reader() : parsed_(std::make_unique<parsed>()), reader_(redisReaderCreateWithFunctions(&parsed_->functions))
{
    if (!reader_) throw std::bad_alloc();
    reader_->privdata = parsed_.get();
}

reply_reader::~reply_reader() = default;

void reply_reader::free_reader::operator()(redisReader* reader) const noexcept { redisReaderFree(reader); }

base::error_code reply_reader::feed(std::span<char const> bytes) noexcept
{
    // What is left over after next() is part of one reply; one so long is none that we asked for.
    if (reader_->len - reader_->pos > 2 * longest) return errc::protocol;
    if (redisReaderFeed(reader_.get(), bytes.data(), bytes.size()) != 0) return errc::protocol;
    return {};
}

base::result<std::optional<reply>> reply_reader::next() noexcept
{
    void* whole = nullptr;
    if (redisReaderGetReply(reader_.get(), &whole) != 0) return errc::protocol;
    if (!whole) return std::optional<reply>{};
    // A type that hiredis knows and we do not comes as a pointer that is not ours.
    if (whole != parsed_.get()) return errc::protocol;
    return std::optional{parsed_->reply};
}

base::result<verdict> decode_verdict(reply const& answer, std::size_t claims) noexcept
{
    if (answer.kind == reply::type::error) return errc_of(answer.text);
    if (answer.kind != reply::type::bulk || answer.size != reply_head + claims * reply_claim || claims > max_claims)
        return errc::protocol;

    base::result<verdict> decoded{verdict{}};
    decoded->now = base::at_epoch_us(word_at(answer.text, 0));
    decoded->allowed = word_at(answer.text, word) != 0;
    for (auto at = reply_head; at < answer.size; at += reply_claim) {
        auto& one = decoded->decisions.emplace_back();
        one.allowed = word_at(answer.text, at) != 0;
        one.remaining = word_at(answer.text, at + word);
        one.reset_after = base::micros{word_at(answer.text, at + 2 * word)};
        auto const retry = word_at(answer.text, at + 3 * word);
        one.retry_after = retry < 0 ? never : base::micros{retry};
    }
    return decoded;
}

errc errc_of(std::string_view error) noexcept
{
    struct row {
        std::string_view begins;
        errc means;
    };
    static constexpr row rows[] = {
        {"LOADING", errc::loading},
        {"READONLY", errc::read_only},
        {"MASTERDOWN", errc::read_only},
        {"CLUSTERDOWN", errc::cluster},
        {"MOVED", errc::cluster},
        {"ASK", errc::cluster},
        {"TRYAGAIN", errc::cluster},
        {"CROSSSLOT", errc::cluster},
        {"OOM", errc::out_of_memory},
        {"MISCONF", errc::read_only},
        {"NOREPLICAS", errc::read_only},
        {"BUSY", errc::busy},
        {"NOAUTH", errc::refused_login},
        {"WRONGPASS", errc::refused_login},
        {"NOPERM", errc::refused_login},
        {"ERR max number of clients reached", errc::overloaded},
        {"ERR invalid password", errc::refused_login},
        {"ERR AUTH <password> called without any password configured", errc::refused_login},
        {"ERR Client sent AUTH, but no password is set", errc::refused_login},
    };
    for (auto const& row : rows) {
        if (!error.starts_with(row.begins)) continue;
        // The word ends there: MOVEDX is not MOVED.
        auto const rest = error.substr(row.begins.size());
        if (rest.empty() || rest.front() == ' ' || row.begins.starts_with("ERR")) return row.means;
    }
    return errc::script;
}

bool is_noscript(reply const& answer) noexcept
{
    return answer.kind == reply::type::error && answer.text.starts_with("NOSCRIPT ");
}

} // namespace penstock::limiter::redis
