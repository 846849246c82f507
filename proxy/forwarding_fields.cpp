#include "proxy/forwarding_fields.hpp"

#include "base/field_name.hpp"
#include "base/forwarded.hpp"
#include "proxy/host_name.hpp"

#include <algorithm>
#include <array>
#include <charconv>

namespace penstock::proxy {
namespace {

using base::is_field;

// Of the fields that may be broken: the last of them as far as they are whole. `first` is cut, the ones behind it are not.
struct whole_part {
    std::span<base::field const> fields;
    std::string_view first; // value of fields.front()
};

// The value of the only line of that name; empty if there is none or several, which nobody could choose between.
std::string_view single_value(std::span<base::field const> fields, std::string_view lower) noexcept
{
    base::field const* found = nullptr;
    for (auto const& line : fields) {
        if (!is_field(line.name, lower)) continue;
        if (found) return {};
        found = &line;
    }
    return found ? found->value : std::string_view{};
}

// All lines of that name, in order, joined by commas; empty ones left out.
void append_joined(std::string& out, std::span<base::field const> fields, std::string_view lower)
{
    auto const start = out.size();
    for (auto const& line : fields) {
        if (line.value.empty() || !is_field(line.name, lower)) continue;
        if (out.size() > start) out += ", ";
        out += line.value;
    }
}

bool is_authority(std::string_view text)
{
    std::string scratch;
    return normalise_authority(text, scratch).has_value();
}

bool is_port(std::string_view text) noexcept
{
    std::uint16_t port = 0;
    auto const [end, failed] = std::from_chars(text.data(), text.data() + text.size(), port);
    return failed == std::errc{} && end == text.data() + text.size() && port > 0;
}

void append_line(std::string& out, std::string_view name, std::string_view value)
{
    out += name;
    out += value;
    out += "\r\n";
}

void append_address(std::string& out, base::ip_address const& address)
{
    std::array<char, 46> text;
    out += address.write(text.data());
}

// One field whose value is a list, built element by element; a list without an element leaves no line behind.
class list_line {
public:
    list_line(std::string& out, std::string_view name) : out_(out), line_(out.size())
    {
        out_ += name;
        value_ = out_.size();
    }
    void begin_element()
    {
        if (out_.size() > value_) out_ += ", ";
    }
    void end()
    {
        if (out_.size() == value_)
            out_.resize(line_);
        else
            out_ += "\r\n";
    }

private:
    std::string& out_;
    std::size_t line_;
    std::size_t value_;
};

// Of the lines of Forwarded, what stands to the right of the first broken element (from the right): passing that on would
// let it swallow what we append, for a reader that begins at the left.
whole_part whole_forwarded(std::span<base::field const> fields) noexcept
{
    whole_part whole{.fields = fields.last(0), .first = {}};
    for (auto at = fields.size(); at-- > 0;) {
        if (!is_field(fields[at].name, "forwarded")) continue;
        auto rest = fields[at].value;
        auto good_from = rest.size();
        auto is_whole = true;
        while (auto const element = base::take_last_element(rest)) {
            is_whole = element->well_formed;
            if (!is_whole) break;
            good_from = static_cast<std::size_t>(element->text.data() - fields[at].value.data());
        }
        auto const good = fields[at].value.substr(good_from);
        if (!good.empty()) whole = {.fields = fields.subspan(at), .first = good};
        if (!is_whole) break;
    }
    return whole;
}

// Calls `use` for each line of Forwarded that may be passed on, in order.
template <class Use>
void for_each_whole_line(std::span<base::field const> fields, Use use)
{
    auto const whole = whole_forwarded(fields);
    for (auto const& line : whole.fields) {
        auto const value = &line == whole.fields.data() ? whole.first : line.value;
        if (is_field(line.name, "forwarded") && !base::trim_ows(value).empty()) use(value);
    }
}

// The nodes of a line that is whole, as X-Forwarded-For has them.
void append_nodes(list_line& list, std::string& out, std::string_view line)
{
    while (auto const element = base::take_first_element(line)) {
        list.begin_element();
        if (auto const address = element->node.empty() ? std::nullopt : base::node_address(element->node))
            append_address(out, *address);
        else
            out += "unknown";
    }
}

void append_forwarded_for(std::string& out, forwarding_context const& context)
{
    list_line list(out, "X-Forwarded-For: ");
    if (context.trust == peer_trust::trusted) {
        switch (context.source) {
        case told_by::nothing:
        case told_by::x_forwarded_for: append_joined(out, context.fields, "x-forwarded-for"); break;
        case told_by::forwarded:
            for_each_whole_line(context.fields, [&](std::string_view line) { append_nodes(list, out, line); });
            break;
        case told_by::single_field:
            if (context.client && context.client != context.peer) append_address(out, *context.client);
            break;
        }
    }
    if (context.peer) {
        list.begin_element();
        append_address(out, *context.peer);
    }
    list.end(); // no element: a unix socket, and nobody trusted named anyone
}

void append_node(std::string& out, base::ip_address const& address)
{
    if (address.is_v6()) out += "\"[";
    append_address(out, address);
    if (address.is_v6()) out += "]\"";
}

// An authority holds no quote and no backslash (H1-20).
void append_forwarded_host(std::string& out, std::string_view authority)
{
    auto const needs_quotes = authority.find_first_of(":[]") != std::string_view::npos;
    out += needs_quotes ? ";host=\"" : ";host=";
    out += authority;
    if (needs_quotes) out += '"';
}

void append_forwarded(std::string& out, forwarding_context const& context)
{
    list_line list(out, "Forwarded: ");
    if (context.trust == peer_trust::trusted) {
        for_each_whole_line(context.fields, [&](std::string_view line) {
            list.begin_element();
            out += line;
        });
    }
    if (context.peer) { // a unix socket has nothing to add, as in X-Forwarded-For
        list.begin_element();
        out += "for=";
        append_node(out, *context.peer);
        if (!context.forwarded_by.empty()) out.append(";by=").append(context.forwarded_by);
        if (!context.authority.empty()) append_forwarded_host(out, context.authority);
        out.append(";proto=").append(context.scheme);
    }
    list.end();
}

void append_via(std::string& out, forwarding_context const& context)
{
    out += "Via: ";
    auto const value = out.size();
    append_joined(out, context.fields, "via");
    if (out.size() > value) out += ", ";
    out += context.received_protocol;
    out += ' ';
    append_line(out, {}, context.via_name);
}

// What a trusted peer says of the client's own request, by the source that is believed.
struct claims {
    std::string_view proto;
    std::string_view host;
    std::string_view port;
};

claims claims_of(forwarding_context const& context, std::span<char> proto_scratch, std::span<char> host_scratch) noexcept
{
    if (context.trust == peer_trust::untrusted) return {};
    if (context.source == told_by::forwarded)
        return {.proto = base::unquoted(context.forwarded_proto, proto_scratch).value_or(std::string_view{}),
                .host = base::unquoted(context.forwarded_host, host_scratch).value_or(std::string_view{}),
                .port = {}};
    return {.proto = single_value(context.fields, "x-forwarded-proto"),
            .host = single_value(context.fields, "x-forwarded-host"),
            .port = single_value(context.fields, "x-forwarded-port")};
}

bool is_removed(std::string_view name, connection_options const& connection, forwarding_context const& context) noexcept
{
    if (!connection.removes(name)) return false;
    return std::ranges::none_of(context.key_fields, [name](auto const& key) { return is_field(name, key); });
}

} // namespace

field_fate fate_of(std::string_view name, connection_options const& connection, forwarding_context const& context) noexcept
{
    auto const trusted = context.trust == peer_trust::trusted;
    auto const kind = classify_field(name);
    auto const is_source = context.source == told_by::single_field && is_field(name, context.source_field);
    if (kind == field_kind::address_claim || is_source) {
        if (trusted && context.source == told_by::nothing) return field_fate::copied;
        return trusted && context.client ? field_fate::names_client : field_fate::removed;
    }
    if (kind == field_kind::peer_claim) return trusted ? field_fate::copied : field_fate::removed;
    return kind == field_kind::end_to_end && !is_removed(name, connection, context) ? field_fate::copied : field_fate::removed;
}

void append_forwarding_fields(std::string& out, forwarding_context const& context)
{
    std::array<char, 16> proto_scratch;
    std::array<char, 264> host_scratch;
    auto const said = claims_of(context, proto_scratch, host_scratch);
    append_forwarded_for(out, context);
    auto const proto_valid = is_field(said.proto, "http") || is_field(said.proto, "https");
    append_line(out, "X-Forwarded-Proto: ", proto_valid ? said.proto : context.scheme);
    auto const shown_host = is_authority(said.host) ? said.host : context.authority;
    if (!shown_host.empty()) append_line(out, "X-Forwarded-Host: ", shown_host);
    if (is_port(said.port)) append_line(out, "X-Forwarded-Port: ", said.port);
    if (context.source == told_by::forwarded) append_forwarded(out, context);
    append_via(out, context);
}

} // namespace penstock::proxy
