#include "gateway/key_keeper.hpp"

#include "auth/key_refresh.hpp"
#include "base/clock.hpp"
#include "conf/bounded_file.hpp"
#include "gateway/page_fetch.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>
#include <exception>
#include <optional>
#include <random>
#include <utility>

#include <sys/stat.h>

namespace penstock::gateway {
namespace asio = boost::asio;
namespace {

constexpr base::micros file_check_every{1'000'000};
constexpr base::micros longest_rest{3'600'000'000}; // a timer counts no further than it has to

// What tells one state of a file from another without reading it. The last is of the inode: whoever writes can put back the time
// of the content (`cp -p`, `rsync -t`), and not this one.
struct file_stamp {
    ::dev_t device = 0;
    ::ino_t inode = 0;
    ::off_t size = 0;
    std::int64_t written_ns = 0;
    std::int64_t changed_ns = 0;

    friend bool operator==(file_stamp const&, file_stamp const&) = default;
};

std::int64_t nanoseconds(::timespec const& at) { return std::int64_t{at.tv_sec} * 1'000'000'000 + at.tv_nsec; }

std::optional<file_stamp> stamp_of(std::string const& path)
{
    struct stat seen {};
    if (::stat(path.c_str(), &seen) != 0) return std::nullopt;
    return file_stamp{seen.st_dev, seen.st_ino, seen.st_size, nanoseconds(seen.st_mtim), nanoseconds(seen.st_ctim)};
}

void rethrow(std::exception_ptr thrown)
{
    if (thrown) std::rethrow_exception(thrown);
}

} // namespace

struct key_keeper::kept {
    kept(asio::io_context& loop, auth::issuer const& from)
        : name(from.name), algorithms(from.algorithms), source(from.source), keys(from.keys), rest(loop)
    {}

    std::string name;
    std::vector<auth::algorithm> algorithms;
    auth::key_source source;
    auth::key_set_ptr keys;
    std::string text;                         // that a URL brought its keys as, until they are forgotten
    std::optional<auth::key_refresh> refresh; // of a URL
    asio::steady_timer rest;                  // cancelled when there is something to do sooner
    bool is_dropped = false;
    std::string last_problem; // said once, until it is another one or over
    std::uint64_t succeeded = 0;
    std::uint64_t failed = 0;
    std::int64_t last_success_s = 0;
    base::instant confirmed{}; // when a URL last brought `keys`

    [[nodiscard]] bool is_for(auth::issuer const& other) const
    {
        return has_place_of(other) && source == other.source && algorithms == other.algorithms;
    }

    // Its keys come from the same place, whenever they are asked for and whatever they are used for.
    [[nodiscard]] bool has_place_of(auth::issuer const& other) const
    {
        return name == other.name && source.url == other.source.url && source.file == other.source.file &&
               source.ca_file == other.source.ca_file;
    }

    // What another found out, until it is confirmed anew. Which key serves which algorithm is for the new configuration to say.
    void inherit(kept const& before)
    {
        keys = before.algorithms == algorithms ? before.keys : auth::parse_key_set(before.text, algorithms).keys;
        text = before.text;
        if (keys) last_problem = before.last_problem; // else that is news, whatever was said of the old ones
        succeeded = before.succeeded;
        failed = before.failed;
        last_success_s = before.last_success_s;
        confirmed = before.confirmed;
    }
};

key_keeper::key_keeper(asio::io_context& loop, calls tell) : loop_(loop), tell_(std::move(tell)) {}

key_keeper::~key_keeper() { follow(nullptr); }

void key_keeper::follow(auth::token_settings const* settings)
{
    auto const before = std::exchange(all_, {});
    if (settings != nullptr) {
        for (auto const& issuer : settings->issuers) {
            auto const same = std::ranges::find_if(before, [&](auto const& each) { return each->is_for(issuer); });
            auto const is_new = same == before.end();
            all_.push_back(is_new ? std::make_shared<kept>(loop_, issuer) : *same);
            auto& one = *all_.back();
            auto const old = std::ranges::find_if(before, [&](auto const& each) { return each->has_place_of(issuer); });
            if (is_new && old != before.end()) one.inherit(**old);
            if (is_new && !one.keys && !one.text.empty())
                tell_.warn("keys of " + one.name +
                           ": none that is known serves its algorithms; its tokens are refused until one is fetched");
            if (issuer.keys) one.keys = issuer.keys; // just read from its file
            if (is_new) start(all_.back());
        }
    }
    for (auto const& each : before) {
        if (std::ranges::find(all_, each) != all_.end()) continue;
        each->is_dropped = true;
        each->rest.cancel();
    }
}

void key_keeper::start(kept_ptr one)
{
    std::random_device random;
    if (!one->source.url.empty()) {
        one->refresh.emplace(one->source, base::clock::now(), std::uniform_real_distribution<double>(0.0, 1.0)(random));
        if (one->keys || !one->text.empty()) one->refresh->note_inherited(one->confirmed);
        asio::co_spawn(loop_, tend_url(std::move(one)), rethrow);
    } else if (!one->source.file.empty()) {
        asio::co_spawn(loop_, tend_file(std::move(one)), rethrow);
    }
}

asio::awaitable<void> key_keeper::tend_url(kept_ptr one)
{
    while (!one->is_dropped) {
        switch (one->refresh->resume(base::clock::now())) {
        case auth::key_refresh::action::fetch: co_await fetch(one); break;
        case auth::key_refresh::action::forget:
            one->keys = nullptr;
            one->text.clear();
            tell_.warn("keys of " + one->name + ": not confirmed for too long; its tokens are refused until they are");
            tell_.publish(one->name, nullptr);
            break;
        case auth::key_refresh::action::rest: {
            one->rest.expires_after(std::min(one->refresh->next() - base::clock::now(), longest_rest));
            auto const [sooner] = co_await one->rest.async_wait(asio::as_tuple(asio::use_awaitable));
            static_cast<void>(sooner);
        }
        }
    }
}

asio::awaitable<void> key_keeper::fetch(kept_ptr one)
{
    page_request asked{.from = *auth::parse_web_address(one->source.url), // `check` has refused what is none
                       .ca_file = one->source.ca_file,
                       .timeout = one->source.timeout,
                       .most_bytes = auth::most_key_set_bytes};
    auto got = co_await fetch_page(std::move(asked));
    if (one->is_dropped) co_return;
    auto const failed_before = one->failed;
    if (got)
        take(*one, got->body);
    else
        fail(*one, got.error().what);
    auto const now = base::clock::now();
    if (one->failed != failed_before) {
        one->refresh->note_failed(now);
        co_return;
    }
    one->confirmed = now;
    one->refresh->note_fetched(auth::freshness_of(got->cache_control), now);
}

asio::awaitable<void> key_keeper::tend_file(kept_ptr one)
{
    std::optional<file_stamp> seen; // none: read once more, it may have changed since the configuration was loaded
    auto is_missing = false;
    while (!one->is_dropped) {
        auto const stamp = stamp_of(one->source.file);
        if (!stamp && !std::exchange(is_missing, true)) fail(*one, "'" + one->source.file + "' is not there any longer");
        if (stamp) is_missing = false;
        if (stamp && stamp != seen) {
            auto const text = conf::read_bounded(one->source.file, auth::most_key_set_bytes);
            if (text)
                take(*one, *text);
            else
                fail(*one, "cannot read '" + one->source.file + "': " + text.error().message());
        }
        seen = stamp;
        one->rest.expires_after(file_check_every);
        auto const [sooner] = co_await one->rest.async_wait(asio::as_tuple(asio::use_awaitable));
        static_cast<void>(sooner);
    }
}

void key_keeper::take(kept& one, std::string const& text)
{
    auto read = auth::parse_key_set(text, one.algorithms);
    if (!read.keys) {
        auto why = "the key set " + read.problem;
        if (!read.notes.empty())
            why += " (keys[" + std::to_string(read.notes.front().index) + "]: " + read.notes.front().why + ')';
        fail(one, why);
        return;
    }
    for (auto const& note : read.notes) {
        if (note.what == auth::key_note::kind::refused)
            tell_.warn("keys of " + one.name + ": keys[" + std::to_string(note.index) + "] is not used: " + note.why);
    }
    if (!one.last_problem.empty() || !one.keys)
        tell_.inform("keys of " + one.name + ": " + std::to_string(read.keys->size()) + " known");
    one.last_problem.clear();
    ++one.succeeded;
    one.last_success_s = base::wall_clock_us() / 1'000'000;
    if (one.refresh) one.text = text;
    auto const is_same = one.keys && auth::same_keys(*one.keys, *read.keys);
    if (is_same) return; // tokens that were verified with them stay so
    one.keys = std::move(read.keys);
    tell_.publish(one.name, one.keys);
}

void key_keeper::fail(kept& one, std::string const& why)
{
    ++one.failed;
    if (one.last_problem == why) return;
    one.last_problem = why;
    tell_.warn("keys of " + one.name + ": " + why + (one.keys ? "; the old ones stay in use" : "; none are known"));
}

std::vector<auth::key_set_ptr> key_keeper::current(auth::token_settings const& settings) const
{
    std::vector<auth::key_set_ptr> keys;
    for (auto const& issuer : settings.issuers) {
        auto const found = std::ranges::find_if(all_, [&](auto const& each) { return each->is_for(issuer); });
        keys.push_back(found == all_.end() ? issuer.keys : (*found)->keys);
    }
    return keys;
}

void key_keeper::note_unknown_key(std::string const& issuer)
{
    for (auto const& each : all_) {
        if (each->name != issuer || !each->refresh) continue;
        each->refresh->note_unknown_key(base::clock::now());
        each->rest.cancel();
    }
}

bool key_keeper::is_complete() const noexcept
{
    return std::ranges::all_of(all_, [](auto const& each) { return each->keys != nullptr; });
}

std::vector<key_set_report> key_keeper::report() const
{
    std::vector<key_set_report> made;
    for (auto const& each : all_)
        made.push_back({each->name, each->keys ? each->keys->size() : 0, each->succeeded, each->failed, each->last_success_s});
    return made;
}

} // namespace penstock::gateway
