#include "conf/check.hpp"

#include "conf/read.hpp"
#include "conf/redis_url.hpp"
#include "conf/scalar.hpp"
#include "limiter/redis/tls_context.hpp"

namespace penstock::conf {

namespace {

// The section of the document and what it was read as.
struct redis_section {
    node const& written;
    limiter::redis_settings const& read;
    problem_list& problems;
};

void check_login(redis_section const& redis)
{
    auto const* file = redis.written.find("password_file");
    auto const url = parsed(redis.written.find("url"), parse_redis_url);
    if (!url) return;
    if (file != nullptr && !url->password.empty())
        redis.problems.error(file->at, "redis.password_file", "redis.url holds a password, too; keep one of them");
    if (file == nullptr && url->password.empty() && !url->user.empty())
        redis.problems.error(redis.written.find("url")->at, "redis.url",
                             "names a user without a password; write USER:PASSWORD@ or set redis.password_file");
}

void check_breaker(redis_section const& redis)
{
    auto const& breaker = redis.read.breaker;
    if (breaker.open_for_max >= breaker.open_for) return;
    auto const* longest = redis.written.find("breaker.open_for_max");
    auto const* value = longest != nullptr ? longest : redis.written.find("breaker.open_for");
    redis.problems.error(value->at, longest != nullptr ? "redis.breaker.open_for_max" : "redis.breaker.open_for",
                         "open_for (" + write_duration(breaker.open_for) + ") is longer than open_for_max (" +
                             write_duration(breaker.open_for_max) + "); raise the one or lower the other");
}

// A certificate and its key come together, and OpenSSL must take what the files hold.
void check_tls(redis_section const& redis)
{
    auto const* tls = redis.written.find("tls");
    if (tls == nullptr || !tls->is_map()) return;
    if (!redis.read.tls) {
        redis.problems.error(tls->at, "redis.tls", "has no effect on redis.url; write rediss:// or remove it");
        return;
    }
    auto const* certificate = tls->find("certificate_file");
    auto const* key = tls->find("private_key_file");
    if ((certificate == nullptr) != (key == nullptr)) {
        auto const* const alone = certificate != nullptr ? certificate : key;
        redis.problems.error(alone->at, certificate != nullptr ? "redis.tls.certificate_file" : "redis.tls.private_key_file",
                             "stands alone; set certificate_file and private_key_file together");
        return;
    }
    auto const& read = *redis.read.tls;
    if (read.certificate.empty() != read.private_key.empty()) return; // one could not be read, which has been said
    auto const made = limiter::redis::make_tls_context(read);
    if (made) return;
    using limiter::redis::tls_part;
    auto const part = made.error().part;
    std::string const name = part == tls_part::authorities   ? "ca_file"
                             : part == tls_part::certificate ? "certificate_file"
                                                             : "private_key_file";
    auto const* file = tls->find(name);
    if (file == nullptr) return;
    redis.problems.error(file->at, "redis.tls." + name,
                         "'" + file->written + "' " + made.error().why + "; give the right file, in PEM form");
}

void check_sentinels(redis_section const& redis)
{
    auto const* sentinel = redis.written.find("sentinel");
    if (sentinel == nullptr || !sentinel->is_map()) return;
    if (!redis.read.sentinels) {
        redis.problems.error(sentinel->at, "redis.sentinel",
                             "has no effect on redis.url; write redis+sentinel:// or remove it");
        return;
    }
    auto const* user = sentinel->find("user");
    if (user != nullptr && redis.read.sentinels->password.empty())
        redis.problems.error(user->at, "redis.sentinel.user", "needs a password; set redis.sentinel.password_file");
}

} // namespace

void check_redis(checked const& all, problem_list& problems)
{
    auto const* redis = all.root.find("redis");
    if (redis == nullptr || !all.read.redis || !parsed(redis->find("url"), parse_redis_url)) return;
    redis_section const section{*redis, *all.read.redis, problems};
    check_login(section);
    check_breaker(section);
    check_tls(section);
    check_sentinels(section);
}

} // namespace penstock::conf
