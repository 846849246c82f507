#include "gateway/access_record.hpp"

#include "gateway/logged_query.hpp"
#include "gateway/telemetry.hpp"
#include "gateway/utc_time.hpp"

#include <algorithm>
#include <array>
#include <charconv>

namespace penstock::gateway {
namespace {

void append_number(std::string& out, std::int64_t number)
{
    std::array<char, 20> digits;
    out.append(digits.data(), std::to_chars(digits.data(), digits.data() + digits.size(), number).ptr);
}

// JSON string content; what is no visible ASCII is escaped byte by byte, so that the line is valid whatever was sent.
void append_escaped(std::string& out, std::string_view text)
{
    constexpr std::string_view hex = "0123456789abcdef";
    std::size_t plain = 0;
    for (std::size_t i = 0; i < text.size(); ++i) {
        auto const c = static_cast<unsigned char>(text[i]);
        if (c >= 0x20 && c < 0x7f && c != '"' && c != '\\') continue;
        out.append(text.substr(plain, i - plain));
        plain = i + 1;
        if (c == '"' || c == '\\')
            out.append({'\\', static_cast<char>(c)});
        else
            out.append("\\u00").append({hex[c >> 4], hex[c & 15]});
    }
    out.append(text.substr(plain));
}

void append_text(std::string& out, std::string_view name, std::string_view text)
{
    out.append(",\"").append(name).append("\":\"");
    append_escaped(out, text);
    out.append("\"");
}

void append_known(std::string& out, std::string_view name, std::string_view text)
{
    if (!text.empty()) append_text(out, name, text);
}

void append_integer(std::string& out, std::string_view name, std::int64_t number)
{
    out.append(",\"").append(name).append("\":");
    append_number(out, number);
}

void append_shown(std::string& out, std::string_view text, std::optional<std::size_t> hidden)
{
    append_escaped(out, text.substr(0, hidden.value_or(text.size())));
    if (hidden) out.append("REDACTED");
}

void append_query(std::string& out, std::string_view query, std::span<conf::credential_source const> keys)
{
    if (query.empty()) return;
    out.append(",\"url.query\":\"");
    while (true) {
        auto const end = query.find('&');
        auto const parameter = query.substr(0, end);
        append_shown(out, parameter, hidden_from(parameter, keys));
        if (end == std::string_view::npos) break;
        out.append(1, '&');
        query.remove_prefix(end + 1);
    }
    out.append("\"");
}

void append_path(std::string& out, base::request_facts const& facts, std::span<conf::credential_source const> keys)
{
    if (facts.path.empty()) return;
    out.append(",\"url.path\":\"");
    auto path = facts.path;
    while (true) {
        auto const end = path.find('/');
        auto const segment = path.substr(0, end);
        append_shown(out, segment, hidden_from(segment, facts, keys));
        if (end == std::string_view::npos) break;
        out.append(1, '/');
        path.remove_prefix(end + 1);
    }
    out.append("\"");
}

void append_address(std::string& out, std::string_view name, std::optional<base::ip_address> const& address)
{
    std::array<char, 46> text;
    if (address) append_text(out, name, address->write(text.data()));
}

std::string_view decision_of(limiter::admission_ruling const& gate) noexcept
{
    switch (gate.verdict) {
    case limiter::admission_ruling::kind::admitted: return "allowed";
    case limiter::admission_ruling::kind::refused: return "refused";
    case limiter::admission_ruling::kind::store_unavailable: return "unanswered_denied";
    }
    return "unknown";
}

// What of a request is hidden, and by which names.
struct hiding_rules {
    base::request_facts const& facts;
    std::span<conf::credential_source const> keys;
};

// A value of an entry, in which the marks that part several are ours (AK-11). A path holds what its captures do.
void append_value(std::string& out, std::string_view value, partition::entry const& entry, hiding_rules const& about)
{
    if (entry.source == partition::entry_source::path && std::ranges::any_of(about.facts.captures, hides))
        return static_cast<void>(out.append("REDACTED"));
    while (true) {
        auto const end = value.find_first_of("&;|");
        auto const one = value.substr(0, end);
        append_shown(out, one, hidden_from(one, about.keys));
        if (end == std::string_view::npos) return;
        out.push_back(value[end]);
        value.remove_prefix(end + 1);
    }
}

// The key as it is in the store, but of each hash that stands for a credential the first digits only (AK-5), and of other values
// what a query would show. A `*` is in no key, and in a pattern of Redis it stands for the rest.
void append_key(std::string& out, limiter::claim const& asked, hiding_rules const& about)
{
    constexpr std::size_t shown_digits = 8;
    auto rest = asked.key.view();
    auto const show = [&](std::size_t count) {
        append_escaped(out, rest.substr(0, count));
        rest.remove_prefix(std::min(count, rest.size()));
    };
    auto const shorten_hash = [&] {
        if (rest.size() < partition::hash_digits) return;
        show(shown_digits);
        out.push_back('*');
        rest.remove_prefix(partition::hash_digits - shown_digits);
    };
    auto const show_value = [&](partition::entry const& entry) {
        auto const value = rest.substr(0, rest.find_first_of(",}#"));
        append_value(out, value, entry, about);
        rest.remove_prefix(value.size());
    };
    auto const& entries = asked.policy->key;
    show(rest.find('{') + 1);
    if (rest.starts_with("h=")) { // an identity that would be too long
        show(2);
        if (std::ranges::any_of(entries, partition::is_hidden)) shorten_hash();
    } else if (!rest.starts_with("none}")) {
        for (auto const& entry : entries) {
            if (entry.source != partition::entry_source::everyone) {
                show(rest.find('=') + 1);
                if (partition::is_hidden(entry))
                    shorten_hash();
                else
                    show_value(entry);
            }
            show(rest.find_first_of(",}") + 1);
        }
    }
    append_escaped(out, rest);
}

void append_limits(std::string& out, access_record const& record, base::request_facts const& facts)
{
    append_text(out, "penstock.decision", decision_of(*record.gate));
    out.append(",\"penstock.limits\":[");
    for (std::size_t i = 0; i < record.gate->rulings.size(); ++i) {
        auto const& each = record.gate->rulings[i];
        out.append(i == 0 ? "{\"name\":\"" : ",{\"name\":\"").append(each.policy->name).append("\"");
        append_text(out, "decision", name_of(each.result));
        out.append(",\"key\":\"");
        append_key(out, (*record.asked)[i], {facts, record.api_key_sources});
        out.append("\"");
        if (each.answered()) append_integer(out, "remaining", each.decision.remaining);
        out.append("}");
    }
    out.append("]");
    append_integer(out, "penstock.check_us", record.check_time.count());
}

} // namespace

std::string_view name_of(denied_by what) noexcept { return what == denied_by::address ? "address" : "api_key"; }

void append_access_line(std::string& out, access_record const& record, base::request_facts const& facts, unsigned minor_version,
                        std::int64_t when_us, base::micros duration)
{
    out.append("{\"@timestamp\":\"");
    append_rfc3339(out, when_us);
    out.append(
        "\",\"log.level\":\"info\",\"ecs.version\":\"8.11.0\",\"service.name\":\"penstock\",\"event.dataset\":\"penstock.access\"");
    append_integer(out, "event.duration", duration.count() * 1000);
    append_text(out, "event.outcome", record.status >= 500 || record.status == 0 ? "failure" : "success");
    // Of a request that could not be read nothing is known but who sent it.
    append_known(out, "http.request.method", facts.method);
    if (!facts.method.empty()) append_text(out, "http.version", minor_version == 0 ? "1.0" : "1.1");
    append_known(out, "url.domain", facts.host);
    append_path(out, facts, record.api_key_sources);
    append_query(out, facts.query, record.api_key_sources);
    append_address(out, "client.ip", facts.client);
    append_address(out, "source.ip", facts.peer);
    append_integer(out, "http.response.status_code", record.status);
    append_integer(out, "http.request.bytes", static_cast<std::int64_t>(record.request_bytes));
    append_integer(out, "http.response.bytes", static_cast<std::int64_t>(record.response_bytes));
    if (record.route) append_text(out, "penstock.route", record.route->name);
    if (record.denied) append_text(out, "penstock.denied_by", name_of(*record.denied));
    if (record.credentials != credential_refusal::none) append_text(out, "penstock.credentials", name_of(record.credentials));
    append_known(out, "penstock.api_key", record.api_key_name);
    if (record.gate && !record.gate->rulings.empty()) append_limits(out, record, facts);
    if (record.queued > base::micros{0}) append_integer(out, "penstock.queued_ms", record.queued.count() / 1000);
    if (!record.upstream.empty()) {
        append_text(out, "penstock.upstream", record.upstream);
        append_text(out, "penstock.server", record.server);
        append_integer(out, "penstock.upstream_us", record.upstream_time.count());
    }
    if (record.failure) append_text(out, "error.type", proxy::name_of(*record.failure));
    out.append("}\n");
}

} // namespace penstock::gateway
