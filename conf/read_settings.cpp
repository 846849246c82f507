#include "conf/read_settings.hpp"

#include "conf/address.hpp"
#include "conf/client_source.hpp"
#include "conf/read.hpp"
#include "conf/read_auth.hpp"
#include "conf/redis_url.hpp"
#include "conf/scalar.hpp"
#include "conf/words.hpp"

#include <algorithm>

namespace penstock::conf {

namespace {

std::string either(std::string const& written, std::string const& from_file) { return from_file.empty() ? written : from_file; }

void read_listeners(node const& root, settings& into)
{
    for (auto const* listener : elements(root.find("listeners"))) {
        auto address = parsed(listener->find("address"), parse_bind_address);
        if (!address) continue;
        auto& made = into.listeners.emplace_back(conf::listener{.address = std::move(*address), .proxy_protocol_from = {}});
        choose(made.proxy_protocol, listener->find("proxy_protocol"),
               {{"v1", proxy::proxy_protocol::v1}, {"v2", proxy::proxy_protocol::v2}, {"any", proxy::proxy_protocol::any}});
        made.proxy_protocol_from = read_networks(listener->find("proxy_protocol_from"));
    }
}

void read_admin(node const& root, attachments const& files, settings& into)
{
    auto address = parsed(root.find("admin.address"), parse_bind_address);
    if (!address) return;
    into.admin = admin_settings{std::move(*address), either(text_of(root.find("admin.token")), files.admin_token)};
}

void read_redis(node const& root, attachments const& files, settings& into)
{
    auto const* redis = root.find("redis");
    if (redis == nullptr) return;
    into.redis = parsed(redis->find("url"), parse_redis_url).value_or(limiter::redis_settings{});
    auto& made = *into.redis;
    made.password = either(made.password, files.redis_password);
    made.password_file = files.redis_password_file;
    if (made.tls) {
        made.tls->authorities = files.redis_authorities;
        made.tls->certificate = files.redis_certificate;
        made.tls->private_key = files.redis_private_key;
        made.tls->server_name = text_of(redis->find("tls.server_name"));
    }
    if (made.sentinels) {
        made.sentinels->user = text_of(redis->find("sentinel.user"));
        made.sentinels->password = either(text_of(redis->find("sentinel.password")), files.sentinel_password);
    }
    set(made.check_timeout, redis->find("check_timeout"), parse_duration);
    set(made.connect_timeout, redis->find("connect_timeout"), parse_duration);
    set(made.max_pending, redis->find("max_pending"), parse_integer);
    set(into.gateways_at_least, redis->find("gateways_at_least"), parse_integer);
    set(made.breaker.failures, redis->find("breaker.failures"), parse_integer);
    set(made.breaker.open_for, redis->find("breaker.open_for"), parse_duration);
    set(made.breaker.open_for_max, redis->find("breaker.open_for_max"), parse_duration);
}

void read_client(node const& root, settings& into)
{
    auto& client = into.client;
    if (auto source = parsed(root.find("client.source"), parse_client_source)) {
        client.source = source->source;
        client.field = std::move(source->field);
    }
    client.trusted_proxies = read_networks(root.find("client.trusted_proxies"));
    set(client.trusted_hops, root.find("client.trusted_hops"), parse_integer);
    set(client.ipv6_prefix, root.find("client.ipv6_prefix"), parse_integer);
    choose(client.nat64, root.find("client.nat64"), {{"ipv4", partition::nat64_form::ipv4}});
}

void read_timeouts(node const& root, downstream_timeouts& into)
{
    set(into.keep_alive, root.find("timeouts.keep_alive"), parse_duration);
    set(into.header, root.find("timeouts.header"), parse_duration);
    set(into.proxy_header, root.find("timeouts.proxy_header"), parse_duration);
    set(into.body, root.find("timeouts.body"), parse_duration);
    set(into.drain, root.find("timeouts.drain"), parse_duration);
    set(into.pre_drain, root.find("timeouts.pre_drain"), parse_duration);
}

void read_message_limits(node const& root, message_limits& into)
{
    set(into.request_line, root.find("message_limits.request_line"), parse_size);
    set(into.header_field, root.find("message_limits.header_field"), parse_size);
    set(into.headers, root.find("message_limits.headers"), parse_size);
    set(into.header_count, root.find("message_limits.header_count"), parse_integer);
    set(into.body, root.find("message_limits.body"), parse_size); // `off` keeps the default: no limit
}

void read_rejection(node const& root, attachments const& files, response_settings& into)
{
    auto const* rejection = root.find("responses.rejection");
    if (rejection == nullptr) return;
    set(into.rejection_status, rejection->find("status"), parse_integer);
    auto const body = text_of(rejection->find("body"));
    if (body == "text")
        into.body = rejection_body::text;
    else if (!body.empty() && body != "problem")
        into.body = rejection_body::file;
    into.body_template = files.body_template;
    if (auto const* type = rejection->find("media_type")) into.template_media_type = text_of(type);
}

void read_responses(node const& root, attachments const& files, response_settings& into)
{
    auto const* responses = root.find("responses");
    if (responses == nullptr) return;
    if (auto const* fields = responses->find("rate_limit_fields")) {
        into.rate_limit_fields.clear(); // `off` leaves it so
        for (auto const* one : elements(fields)) {
            if (one->text == "draft") into.rate_limit_fields.push_back(field_style::draft);
            if (one->text == "triple") into.rate_limit_fields.push_back(field_style::triple);
            if (one->text == "x-ratelimit") into.rate_limit_fields.push_back(field_style::x_ratelimit);
        }
    }
    set(into.on_success, responses->find("on_success"), parse_boolean);
    choose(into.members, responses->find("members"), {{"all", member_list::all}});
    choose(into.reset, responses->find("reset"), {{"delta", reset_style::delta}});
    set(into.retry_jitter_percent, responses->find("retry_jitter"), parse_percentage);
    read_rejection(root, files, into);
}

proxy::endpoint_spec read_server(node const& written)
{
    auto const* address = written.is_map() ? written.find("address") : &written;
    auto made = parsed(address, parse_endpoint).value_or(proxy::endpoint_spec{});
    set(made.weight, written.find("weight"), parse_integer);
    return made;
}

} // namespace

settings read_settings(node const& root, attachments const& files)
{
    settings made;
    set(made.workers, root.find("workers"), parse_integer); // `auto` keeps the default
    read_listeners(root, made);
    read_admin(root, files, made);
    read_redis(root, files, made);
    read_client(root, made);
    made.api_keys = read_api_keys(root);
    made.responses.api_key_challenges = challenges_of(made.api_keys);
    made.deny = read_denials(root.find("deny"));
    read_message_limits(root, made.limits);
    read_timeouts(root, made.timeouts);
    read_responses(root, files, made.responses);
    set(made.access_log.enabled, root.find("access_log"), parse_boolean);
    set(made.memory_keys, root.find("memory.max_keys"), parse_integer);
    set(made.max_waiters, root.find("memory.max_waiters"), parse_integer);
    if (auto const* via = root.find("via")) made.via_name = text_of(via);
    if (text_of(root.find("client.forwarded_by")) == "obfuscated") made.forwarded_by = '_' + made.via_name;
    return made;
}

std::vector<proxy::upstream_spec> read_upstreams(node const& root)
{
    std::vector<proxy::upstream_spec> made;
    auto const* upstreams = root.find("upstreams");
    if (upstreams == nullptr) return made;
    for (auto const& [name, at, written] : upstreams->members) {
        proxy::upstream_spec upstream;
        upstream.id = proxy::upstream_id{static_cast<std::uint32_t>(made.size())};
        upstream.name = name;
        for (auto const* server : elements(written.find("servers"))) upstream.servers.push_back(read_server(*server));
        choose(upstream.balance, written.find("balance"), {{"least_requests", proxy::balance::least_requests}});
        set(upstream.timeouts.connect, written.find("timeouts.connect"), parse_duration);
        set(upstream.timeouts.response, written.find("timeouts.response"), parse_duration);
        set(upstream.timeouts.idle, written.find("timeouts.idle"), parse_duration);
        set(upstream.retries, written.find("retries"), parse_integer);
        made.push_back(std::move(upstream));
    }
    return made;
}

} // namespace penstock::conf
