#include "limiter/redis/codec.hpp"

#include "limiter/redis/error_reply.hpp"

#include <array>
#include <bit>
#include <charconv>
#include <cstring>

namespace penstock::limiter::redis {
namespace {

static_assert(std::endian::native == std::endian::little, "arguments and replies are little-endian, copied as they are");

constexpr std::int64_t word = sizeof(std::int64_t);
constexpr std::size_t reply_head = 2 * word;  // now_us, granted
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

// A limit's parameters as the scripts unpack them: a byte for the algorithm, then doubles, which are exact below 2^53. What
// is pushed before append() stands before the parameters.
class packed_argument {
public:
    template <class... Numbers>
    void push(Numbers... numbers) noexcept
    {
        (push_one(static_cast<double>(numbers)), ...);
    }
    void append(claim const& of, holding const& by, base::instant now) noexcept
    {
        auto kind = std::visit(parameters{*this, by, now}, of.algorithm());
        if (of.times > 1) {
            kind += 64;
            push(of.times);
        }
        if (of.policy->enforce == enforcement::shadow) kind += 128;
        bytes_[0] = static_cast<char>(kind);
    }
    // One of the token buckets that share a key; `place` among the claims of the call, from 1 on. finish_buckets() follows.
    void append_bucket(claim const& of, std::size_t place) noexcept
    {
        auto const& bucket = std::get<token_bucket>(of.algorithm());
        auto const shadow = of.policy->enforce == enforcement::shadow ? 128U : 0U;
        auto const fractional = bucket.interval_num != 0;
        push(of.cost, bucket.capacity, bucket.interval_us);
        push_one(static_cast<std::uint8_t>(shadow + (fractional ? 1 : 0)));
        push_one(static_cast<std::uint8_t>(place));
        push_one(of.policy->packed_id);
        if (fractional) push(bucket.interval_num, bucket.interval_den);
    }
    void finish_buckets(std::uint32_t times) noexcept
    {
        if (times > 1) push(times);
        bytes_[0] = static_cast<char>(times > 1 ? shared_key + 64 : shared_key);
    }
    // What a refund of one of them ends with.
    void name_bucket(claim const& of) noexcept
    {
        push(of.policy->packed_id);
        bytes_[0] = static_cast<char>(static_cast<unsigned char>(bytes_[0]) + shared_key);
    }
    [[nodiscard]] std::string_view view() const noexcept { return {bytes_.data(), size_}; }

private:
    static constexpr unsigned shared_key = 10;

    template <class Value>
    void push_one(Value value) noexcept
    {
        std::memcpy(bytes_.data() + size_, &value, sizeof value);
        size_ += sizeof value;
    }

    // Each pushes the parameters and returns the byte that says which these are.
    struct parameters {
        packed_argument& to;
        holding const& by;
        base::instant now;

        unsigned operator()(token_bucket const& of) const noexcept
        {
            to.push(of.capacity, of.interval_us);
            if (of.interval_num == 0) return 0;
            to.push(of.interval_num, of.interval_den);
            return 1;
        }
        unsigned operator()(fixed_window const& of) const noexcept { return to.push(of.limit, of.window_us), 2; }
        unsigned operator()(clock_window const& of) const noexcept { return to.push(of.limit, of.window_us), 3; }
        unsigned operator()(calendar_window const& of) const noexcept
        {
            auto const near = moment_of(*of.calendar, now);
            return to.push(of.limit, near.before, near.start, near.end, near.after), 4;
        }
        unsigned operator()(sliding_window const& of) const noexcept
        {
            return to.push(of.limit, of.segment_us, of.segments), 5;
        }
        unsigned operator()(sliding_counter const& of) const noexcept { return to.push(of.limit, of.window_us, of.tick_us), 6; }
        unsigned operator()(sliding_log const& of) const noexcept { return to.push(of.limit, of.window_us), 7; }
        unsigned operator()(periodic_bucket const& of) const noexcept
        {
            return to.push(of.capacity, of.refill, of.period_us), 8;
        }
        unsigned operator()(concurrency const& of) const noexcept
        {
            return to.push(of.limit, by.holder, by.held, permit_lapse.count()), 9;
        }
    };

    static constexpr std::size_t longest_bucket = 5 * sizeof(double) + 2 + sizeof(std::uint32_t);
    std::array<char, 1 + max_claims * longest_bucket + sizeof(double)> bytes_; // only the first size_ are ever read
    std::size_t size_ = 1;
};

void append_call(std::string& out, calling how, script const& which, std::size_t arguments)
{
    append_number(out, '*', 2 + arguments);
    append_bulk(out, how == calling::by_digest ? "EVALSHA" : "EVAL");
    append_bulk(out, how == calling::by_digest ? which.sha1 : which.text);
}

bool share_key(claim const& a, claim const& b) noexcept
{
    auto const identity = [](claim const& of) { return of.key.view().substr(0, of.identity_end); };
    return a.policy->packed_id != 0 && b.policy->packed_id != 0 && identity(a) == identity(b);
}

// The first claim that is counted in the same key.
std::size_t first_sharing(std::span<claim const> asked, std::size_t which) noexcept
{
    std::size_t first = 0;
    while (first < which && !share_key(asked[first], asked[which])) ++first;
    return first;
}

std::int64_t word_at(std::string_view bytes, std::size_t offset) noexcept
{
    std::int64_t value = 0;
    std::memcpy(&value, bytes.data() + offset, sizeof value);
    return value;
}

} // namespace

partition::partition_key counter_key(claim const& of) noexcept
{
    auto key = of.key;
    if (of.policy->packed_id != 0) {
        key.truncate(of.identity_end);
        key.append(":tb"); // the key of no limit: each has the limit's name before its tag
    }
    return key;
}

void append_acquire(std::string& out, calling how, acquire_call const& what)
{
    auto const asked = what.asked;
    boost::container::static_vector<std::size_t, max_claims> first_of; // for each claim
    for (std::size_t i = 0; i < asked.size(); ++i) first_of.push_back(first_sharing(asked, i));
    std::size_t keys = 0;
    for (std::size_t i = 0; i < asked.size(); ++i) keys += first_of[i] == i ? 1 : 0;

    append_call(out, how, scripts::acquire, 1 + 2 * keys + (what.test_now ? 1 : 0));
    append_decimal(out, static_cast<std::int64_t>(keys));
    for (std::size_t i = 0; i < asked.size(); ++i)
        if (first_of[i] == i) append_bulk(out, counter_key(asked[i]).view());
    auto const now = what.test_now ? *what.test_now : what.now;
    for (std::size_t i = 0; i < asked.size(); ++i) {
        if (first_of[i] != i) continue;
        packed_argument argument;
        if (asked[i].policy->packed_id != 0) {
            for (auto each = i; each < asked.size(); ++each)
                if (first_of[each] == i) argument.append_bucket(asked[each], each + 1);
            argument.finish_buckets(asked[i].times);
        } else {
            argument.push(asked[i].cost);
            argument.append(asked[i], what.holdings.empty() ? holding{} : what.holdings[i], now);
        }
        append_bulk(out, argument.view());
    }
    if (what.test_now) append_decimal(out, base::since_epoch_us(*what.test_now));
}

void append_script(std::string& out, calling how, script_call const& call)
{
    append_call(out, how, *call.what, 3 + (call.test_now ? 1 : 0));
    append_decimal(out, 1);
    append_bulk(out, call.key);
    append_bulk(out, call.arguments);
    if (call.test_now) append_decimal(out, base::since_epoch_us(*call.test_now));
}

std::string pack_refund(claim const& of, charge const& taken)
{
    packed_argument argument;
    argument.push(taken.cost, base::since_epoch_us(taken.at), taken.reset_after.count());
    argument.append(of, {}, taken.at);
    if (of.policy->packed_id != 0) argument.name_bucket(of);
    return std::string(argument.view());
}

std::string pack_permits(std::int64_t limit, holding const& by, std::int64_t cost)
{
    static policy const plain; // enforced, and nothing else counts
    algorithm const numbers = concurrency{limit};
    claim of;
    of.policy = &plain;
    of.numbers = &numbers;
    packed_argument argument;
    argument.push(cost);
    argument.append(of, by, {});
    return std::string(argument.view());
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

void append_role(std::string& out) { out.append("*1\r\n$4\r\nROLE\r\n"); }

void append_asking(std::string& out) { out.append("*1\r\n$6\r\nASKING\r\n"); }

void append_cluster_slots(std::string& out) { out.append("*2\r\n$7\r\nCLUSTER\r\n$5\r\nSLOTS\r\n"); }

base::result<verdict> decode_verdict(reply const& answer, std::size_t claims) noexcept
{
    if (answer.kind == reply::type::error) return errc_of(answer.text);
    if (answer.kind != reply::type::bulk || answer.size != reply_head + claims * reply_claim || claims > max_claims)
        return errc::protocol;

    base::result<verdict> decoded{verdict{}};
    decoded->now = base::at_epoch_us(word_at(answer.text, 0));
    auto const granted = word_at(answer.text, word); // to how many requests, of those that the call asked for
    decoded->allowed = granted != 0;
    decoded->granted = static_cast<std::uint32_t>(granted);
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

} // namespace penstock::limiter::redis
