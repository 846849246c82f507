#include "conf/check_value.hpp"

#include "auth/web_address.hpp"
#include "conf/address.hpp"
#include "conf/client_source.hpp"
#include "conf/credential_source.hpp"
#include "conf/key_language.hpp"
#include "conf/redis_url.hpp"
#include "conf/scalar.hpp"
#include "conf/suggest.hpp"
#include "conf/words.hpp"
#include "proxy/path_pattern.hpp"

#include <algorithm>

namespace penstock::conf {

namespace {

std::string quote(node const& value) { return '\'' + value.written + '\''; }

// "; or one of a, b": the words that may stand in place of the form.
std::string or_words(known_key const& known)
{
    std::string text;
    for (auto const word : split_words(known.words)) text += ", or " + std::string{word};
    return text;
}

std::string bounds_problem(known_key const& known, node const& value, std::int64_t number, std::string (*write)(std::int64_t))
{
    if (number >= known.least && number <= known.most) return {};
    return "must be from " + write(known.least) + " to " + write(known.most) + or_words(known) + ", not " + value.written;
}

std::string number_problem(known_key const& known, node const& value)
{
    auto const number = parse_integer(value.text);
    auto const write = [](std::int64_t n) { return std::to_string(n); };
    if (number) return bounds_problem(known, value, *number, write);
    return quote(value) + " is not a whole number; write a number from " + write(known.least) + " to " + write(known.most) +
           or_words(known);
}

std::string duration_problem(known_key const& known, node const& value)
{
    auto const duration = parse_duration(value.text);
    if (!duration) return quote(value) + " is not a duration; write for example 250ms, 10s, 5m, 1h or 1d";
    return bounds_problem(known, value, duration->count(), [](std::int64_t us) { return write_duration(base::micros{us}); });
}

std::string size_problem(known_key const& known, node const& value)
{
    auto const size = parse_size(value.text);
    if (!size) return quote(value) + " is not a size; write for example 512B, 64KiB, 1MiB or 5GiB" + or_words(known);
    return bounds_problem(known, value, *size, write_size);
}

std::string percentage_problem(known_key const& known, node const& value)
{
    auto const percentage = parse_percentage(value.text);
    if (!percentage) return quote(value) + " is not a percentage; write for example 10%";
    return bounds_problem(known, value, *percentage, [](std::int64_t n) { return std::to_string(n) + '%'; });
}

std::string word_problem(known_key const& known, node const& value)
{
    auto const words = split_words(known.words);
    auto const near = nearest(value.text, words);
    auto text = quote(value) + " is not known here; ";
    if (!near.empty()) return text + "did you mean '" + std::string{near} + "'?";
    text += "write ";
    for (auto const word : words) {
        if (word != words.front()) text += " or ";
        text += word;
    }
    return text;
}

std::string name_problem(node const& value)
{
    if (is_name(value.text)) return {};
    return quote(value) + " is not a name; a name has 1 to 64 letters, digits, '.', '_' or '-'";
}

std::string network_problem(node const& value)
{
    if (parse_network(value.text)) return {};
    if (auto const network = base::ip_network::parse(value.text)) {
        return quote(value) + " has bits beyond its prefix; write " + network->to_string();
    }
    return quote(value) + " is not a network; write for example 10.0.0.0/8, 2001:db8::/32 or 192.0.2.1";
}

std::string client_source_problem(known_key const& known, node const& value)
{
    if (parse_client_source(value.text)) return {};
    std::string_view const text = value.text;
    if (text.starts_with("header "))
        return quote(value) + " is no header in which a proxy names one client; write for example header CF-Connecting-IP";
    auto const near = nearest(text, split_words(known.words));
    auto const proposal = near.empty() ? std::string{} : "did you mean '" + std::string{near} + "'? ";
    return quote(value) + " is not known here; " + proposal +
           "write peer, x-forwarded-for, forwarded, x-real-ip or header NAME";
}

std::string listen_address_problem(node const& value)
{
    if (parse_bind_address(value.text)) return {};
    return quote(value) +
           " is not an address to listen on; write for example 0.0.0.0:8080, [::]:8080 or unix:/run/penstock.sock";
}

std::string endpoint_problem(node const& value)
{
    if (parse_endpoint(value.text)) return {};
    std::string_view const text = value.text;
    if (text.starts_with("http://") && parse_endpoint(text.substr(7))) {
        return quote(value) + " has a scheme; write " + std::string{text.substr(7)};
    }
    return quote(value) +
           " is not a server; write for example app:3000, 10.0.0.1:3000, [2001:db8::1]:3000 or unix:/run/app.sock";
}

std::string key_prefix_problem(node const& value)
{
    bool const is_plain =
        std::all_of(value.text.begin(), value.text.end(), [](char c) { return c > 0x20 && c < 0x7f && c != '{' && c != '}'; });
    if (is_plain && value.text.size() <= longest_key_prefix) return {};
    return "must be at most 32 visible ASCII characters other than '{' and '}', such as rl:";
}

std::string host_problem(node const& value)
{
    if (parse_host_pattern(value.text)) return {};
    return quote(value) + " is not a host; write api.example.com or *.example.com, without a port";
}

std::string path_problem(node const& value)
{
    auto const why = proxy::path_pattern::problem_with(value.text);
    return why.empty() ? std::string{} : quote(value) + " is not a path pattern: " + why;
}

std::string method_problem(node const& value)
{
    bool const has_lower = std::any_of(value.text.begin(), value.text.end(), [](char c) { return c >= 'a' && c <= 'z'; });
    if (is_field_name(value.text) && !has_lower) return {};
    return quote(value) + " is not a method; methods are written in capitals, such as GET or POST";
}

std::string attribute_value_problem(node const& value)
{
    bool const is_visible = std::all_of(value.text.begin(), value.text.end(), [](char c) { return c > 0x20 && c < 0x7f; });
    if (is_visible && !value.text.empty() && value.text.size() <= longest_name) return {};
    return "must be 1 to 64 visible ASCII characters, such as gold";
}

std::string visible_text_problem(known_key const& known, node const& value)
{
    bool const is_plain = std::all_of(value.text.begin(), value.text.end(),
                                      [](char c) { return c > 0x20 && c < 0x7f && c != '|' && c != '"' && c != '\\'; });
    auto const size = static_cast<std::int64_t>(value.text.size());
    if (is_plain && size >= known.least && size <= known.most) return {};
    return "must be " + std::to_string(known.least) + " to " + std::to_string(known.most) +
           " visible ASCII characters other than '|', '\"' and '\\'";
}

// Without the value, which may hold a password.
std::string redis_url_problem(node const& value)
{
    if (parse_redis_url(value.text)) return {};
    if (value.text.starts_with("redis+cluster:") || value.text.starts_with("rediss+cluster:"))
        return "is not the address of a cluster; write redis+cluster://HOST:PORT,HOST:PORT, with the nodes to ask first and "
               "without a database";
    return "is not the address of a Redis; write redis://HOST:PORT/DATABASE, rediss:// for TLS, "
           "unix:///PATH or redis+sentinel://HOST,HOST/NAME";
}

} // namespace

std::string problem_with_value(known_key const& known, node const& value)
{
    auto const words = split_words(known.words);
    if (std::find(words.begin(), words.end(), value.text) != words.end()) return {};
    switch (known.form) {
    case value_form::section:
    case value_form::names:
    case value_form::callers: return "must be a section of keys, not " + quote(value);
    case value_form::list:
    case value_form::list_or_one: return "must be a list such as [a, b]" + or_words(known) + ", not " + quote(value);
    case value_form::word: return word_problem(known, value);
    case value_form::boolean:
        return parse_boolean(value.text)
                   ? ""
                   : quote(value) + " is neither on nor off; write on, off, true or false" + or_words(known);
    case value_form::integer: return number_problem(known, value);
    case value_form::duration: return duration_problem(known, value);
    case value_form::size: return size_problem(known, value);
    case value_form::rate:
        return parse_rate(value.text) ? "" : quote(value) + " is not a rate; write for example 50/30s or 100/minute";
    case value_form::percentage: return percentage_problem(known, value);
    case value_form::secret: return {};
    case value_form::file: return value.text.empty() ? "must be the path of a file" + or_words(known) : "";
    case value_form::name: return name_problem(value);
    case value_form::time_zone:
        return is_zone_name(value.text) ? "" : quote(value) + " is not a time zone; write for example Europe/Berlin or UTC";
    case value_form::key_prefix: return key_prefix_problem(value);
    case value_form::media_type:
        return is_media_type(value.text) ? ""
                                         : quote(value) + " is not a media type; write for example text/html; charset=utf-8";
    case value_form::listen_address: return listen_address_problem(value);
    case value_form::endpoint: return endpoint_problem(value);
    case value_form::redis_url: return redis_url_problem(value);
    case value_form::host:
        return is_host(value.text) ? "" : quote(value) + " is not a host; write a name or an address, without a port";
    case value_form::client_source: return client_source_problem(known, value);
    case value_form::network: return network_problem(value);
    case value_form::digest:
        return parse_digest(value.text) ? "" : "is not a SHA-256 in hex; write its 64 digits (printf %s KEY | sha256sum)";
    case value_form::key_entry:
        return parse_key_entry(value.text, {}) ? "" : quote(value) + " is not a key; " + expected_key_entry(value.text);
    case value_form::attribute:
        return parse_attribute(value.text).empty() && parse_claim(value.text).empty()
                   ? quote(value) + " is no attribute; write for example api_key.plan or jwt.plan"
                   : "";
    case value_form::visible_text: return visible_text_problem(known, value);
    case value_form::web_url:
        return auth::parse_web_address(value.text)
                   ? ""
                   : quote(value) +
                         " is no address of a page; write for example https://id.example.com/keys, with a port of 1 to 65535 or none, "
                         "without a user or a fragment, and with no name that begins with an IPv4 address";
    case value_form::attribute_value: return attribute_value_problem(value);
    case value_form::field_name:
        return is_field_name(value.text) ? ""
                                         : quote(value) + " is no name of a header field; write for example X-Request-Cost";
    case value_form::credential_source:
        return parse_credential_source(value.text)
                   ? ""
                   : quote(value) + " is not known here; write " + std::string{credential_sources};
    case value_form::host_pattern: return host_problem(value);
    case value_form::path_pattern: return path_problem(value);
    case value_form::method: return method_problem(value);
    }
    return {};
}

} // namespace penstock::conf
